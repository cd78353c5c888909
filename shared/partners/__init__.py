"""Speaking with partners' HTTP interfaces: what helpdesks, CRMs and chat have in common."""
