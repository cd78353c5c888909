"""The pages that recipients see: stopping mails."""
