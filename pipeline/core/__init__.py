"""What every stage stands on: errors, configuration, the data model, storage, progress and metrics."""
