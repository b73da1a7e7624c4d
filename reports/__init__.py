"""Results on disk: events, summaries, plots, HTML reports, comparisons, verdicts."""
