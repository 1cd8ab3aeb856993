"""Styles: saved from results, chosen for new jobs, shown and removed; and the inputs that members prefer."""
