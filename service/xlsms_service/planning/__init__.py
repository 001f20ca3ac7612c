"""Rows and what is known about them -> what would go, what would not, and why. The preview and the intake share it."""

from xlsms_service.planning.moment import send_time
from xlsms_service.planning.plan import Facts, Plan, PlanEntry, Terms, Totals, fingerprint, plan, plan_text

__all__ = ["Facts", "Plan", "PlanEntry", "Terms", "Totals", "fingerprint", "plan", "plan_text", "send_time"]
