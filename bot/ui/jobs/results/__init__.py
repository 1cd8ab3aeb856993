"""Build what a job posts at its end, with its buttons: results, why there is none, links, unknowns."""
