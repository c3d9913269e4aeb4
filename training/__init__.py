"""From documents to a model: data, examples, loss, the run. Nothing here imports ui."""
