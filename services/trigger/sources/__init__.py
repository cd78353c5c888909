"""Topics of others on Kafka as touchpoints: `sources.yaml` says how their records are read; no database."""
