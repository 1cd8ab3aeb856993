"""One lane for each Studii key: the requests that submit jobs and poll them."""
