"""Agents: models that plan, simulators that plan, policies, chance."""
