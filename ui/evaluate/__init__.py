"""The Evaluate tab: models against gold, and the way from a number to the note behind it."""
