"""Reading and writing documents: a module a format. `mapping` reads corpora under our labels."""
