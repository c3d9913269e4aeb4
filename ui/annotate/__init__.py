"""The Annotate tab: a queue under the annotator, reviews, and how well annotators agree."""
