"""From a study's results to tables, figures, verdicts and pages. Knows no paper: those are chapters, folders that are found."""
