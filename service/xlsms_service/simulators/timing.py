"""When a network may deliver a message: not before its send time, and not after its validity."""

from dataclasses import dataclass, replace
from datetime import datetime

from xlsms_service.protocols.smpp.moment import read_moment
from xlsms_service.protocols.smpp.pdu import SubmitSm
from xlsms_service.simulators.phones import Reaction, Report

__all__ = ["Timing"]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds from now until it begins and until it ends."""

    begins: float = 0.0
    ends: float | None = None

    @classmethod
    def of(cls, submit: SubmitSm, now: datetime) -> "Timing":
        """What a submit_sm asks for; what cannot be read asks for nothing."""
        begins = read_moment(submit.schedule_delivery_time, now)
        ends = read_moment(submit.validity_period, now)
        return cls(
            begins=0.0 if begins is None else max((begins - now).total_seconds(), 0.0),
            ends=None if ends is None else max((ends - now).total_seconds(), 0.0),
        )

    def applied(self, reaction: Reaction) -> Reaction:
        """What the phone does then: nothing, if its turn would come too late."""
        report, reply = reaction.report, reaction.reply
        if report is not None:
            report = replace(report, after=self.begins + report.after)
            if self.ends is not None and report.after > self.ends:
                report, reply = Report(self.ends, "EXPIRED", "027"), None
        if reply is not None:
            reply = replace(reply, after=self.begins + reply.after)
        return replace(reaction, report=report, reply=reply)
