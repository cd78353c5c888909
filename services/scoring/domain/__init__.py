"""Pure rules of scoring: histograms, scores, intervals, rollups, folds, rates and periods."""
