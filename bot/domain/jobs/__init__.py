"""Jobs: what is asked for, the row that it becomes, and the states that this goes through."""
