"""The gold store: annotations.db, its documents, revisions, backups, and what is gold."""
