"""`xlsms simulate …`: networks to rehearse with, on this computer and for nothing."""

import asyncio
import json
import os
import signal
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from xlsms.errors import UserError
from xlsms_service.cli.session import session_of
from xlsms_service.cli.simulate_view import LiveView, print_connector, print_summary
from xlsms_service.simulators.exchange import Event, Settings
from xlsms_service.simulators.network import IdForm, Network, Which
from xlsms_service.simulators.phones import Pace, Population
from xlsms_service.simulators.script import read_script
from xlsms_service.simulators.smsc import Server, Smsc

__all__ = ["simulate"]

simulate = typer.Typer(no_args_is_help=True, help="A network to rehearse with, with virtual phones that answer.")

_JITTER = 0.5
_KEEP = 10_000  # messages that query_sm still knows; a rehearsal may run for days
_REDRAW = 0.25  # seconds
_FORMS = ", ".join(IdForm)


@simulate.callback()
def _group() -> None:
    """A network to rehearse with, with virtual phones that answer."""


def _wrong(option: str, value: str, example: str) -> UserError:
    return UserError("simulate-wrong-option", option=option, value=value, example=example)


def _which(option: str, value: str) -> Which:
    """`0.05` is a share, `3,7,12` are the third, seventh and twelfth."""
    try:
        if value.isdecimal() or "," in value:
            numbers = frozenset(int(number) for number in value.split(","))
            if min(numbers) > 0:
                return numbers
            return 0.0 if numbers == {0} else _refuse(option, value)
        share = float(value)
    except ValueError:
        return _refuse(option, value)
    return share if 0 <= share <= 1 else _refuse(option, value)


def _refuse(option: str, value: str) -> Which:
    raise _wrong(option, value, f"{option} 0.05, or {option} 3,7,12")


def _id_forms(value: str) -> tuple[IdForm, IdForm]:
    """`hex` for both, `hex/decimal` for the answer and the receipt."""
    answer, _, receipt = value.partition("/")
    try:
        forms = IdForm(answer), IdForm(receipt or answer)
        Network(response_id=forms[0], receipt_id=forms[1])
    except ValueError:
        raise _wrong("--id-form", value, f"--id-form hex/decimal, with {_FORMS}") from None
    return forms


def _throttle(value: str) -> tuple[int, int]:
    """`50/s` is a rate, `1/10` every tenth: the pair is (every, rate)."""
    if value in ("", "0"):
        return 0, 0
    first, _, second = value.partition("/")
    if second == "s" and first.isdecimal() and int(first):
        return 0, int(first)
    if first == "1" and second.isdecimal() and int(second):
        return int(second), 0
    raise _wrong("--throttle", value, "--throttle 50/s, or --throttle 1/10")


def _tls(certificate: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError("simulate-certificate-unusable", file=str(certificate), reason=reason) from None
    return context


@simulate.command(epilog="xlsms simulate smpp --phones phones.toml --lose-answers 0.01 --throttle 50/s")
def smpp(  # noqa: PLR0913 one option each
    context: typer.Context,
    *,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; others than this computer need 0.0.0.0.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 2775,
    system_id: Annotated[str, typer.Option(metavar="NAME", help="Name that clients bind with.")] = "xlsms",
    password: Annotated[str, typer.Option(metavar="WORD", help="Their password.")] = "rehearse",  # noqa: S107 of a play network
    phones: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML file that says who has which phone.")
    ] = None,
    receipt_delay: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Seconds until a phone has the message.")
    ] = 1.0,
    reply_delay: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="Seconds until a phone answers.")] = 2.0,
    expiry: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Seconds until a message to a phone that is off expires.")
    ] = 30.0,
    id_form: Annotated[
        str, typer.Option(metavar="FORM", help=f"Message ids in the answer/receipt: {_FORMS}.")
    ] = "decimal",
    throttle: Annotated[
        str, typer.Option(metavar="RATE", help="Refuse as too fast: above 50/s, or 1/10 of all.")
    ] = "0",
    lose_answers: Annotated[
        str,
        typer.Option(metavar="WHICH", help="Take, and never answer: a share like 0.05, or the n-th parts like 3,7."),
    ] = "0",
    slow_answers: Annotated[
        str, typer.Option(metavar="WHICH", help="Answer a second late: a share like 0.05, or the n-th parts like 3,7.")
    ] = "0",
    early_receipts: Annotated[
        str,
        typer.Option(metavar="WHICH", help="Receipt before the answer: a share like 0.05, or the n-th parts like 3,7."),
    ] = "0",
    duplicate_receipts: Annotated[
        str, typer.Option(metavar="WHICH", help="Send twice: a share, or the n-th receipts.")
    ] = "0",
    drop_after: Annotated[int, typer.Option(metavar="N", min=0, help="Cut each link at its n-th PDU; 0: never.")] = 0,
    drop_unanswered: Annotated[
        bool, typer.Option("--drop-unanswered", help="The PDU that cuts a link gets no answer.")
    ] = False,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PEM file with certificate and key: listen with TLS.")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File that gets a JSON line for each part taken.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Another number deals the phones in another way.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON line for each event, the last with all figures.")
    ] = False,
) -> None:
    """An SMS centre over SMPP 3.4, with virtual phones that receive, answer, fail or are off. Ctrl+C ends it."""
    console = session_of(context).out
    answer_id, receipt_id = _id_forms(id_form)
    every, rate = _throttle(throttle)
    network = Network(
        response_id=answer_id,
        receipt_id=receipt_id,
        throttle_every=every,
        throttle_rate=rate,
        lose_answers=_which("--lose-answers", lose_answers),
        slow_answers=_which("--slow-answers", slow_answers),
        early_receipts=_which("--early-receipts", early_receipts),
        duplicate_receipts=_which("--duplicate-receipts", duplicate_receipts),
        drop_after=drop_after,
        drop_unanswered=drop_unanswered,
    )
    pace = Pace(receipt=receipt_delay, reply=reply_delay, expiry=expiry, slow=8 * receipt_delay, jitter=_JITTER)
    population = read_script(phones, pace=pace, seed=seed) if phones else Population(pace=pace, seed=seed or 0)
    settings = Settings(accounts={system_id: password}, keep=_KEEP, journal=journal)
    view = LiveView(console) if not as_json and console.is_terminal else None
    listener = _print_event if as_json else view.show if view else None
    smsc = Smsc(population, settings, network, listener=listener)

    def ready(server: Server) -> None:
        if as_json:
            _print_json(event="listening", host=host, port=server.port, system_id=system_id)
        else:
            print_connector(console, host, server.port, system_id, password, certificate)

    asyncio.run(_serve(smsc, host, port, _tls(certificate), ready, view))
    if as_json:
        _print_json(event="summary", **asdict(smsc.counters))
    else:
        print_summary(console, smsc.counters)


async def _serve(
    smsc: Smsc,
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    ready: Callable[[Server], None],
    view: LiveView | None,
) -> None:
    """Serve until SIGINT or SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def stop_soon(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)

    # Not loop.add_signal_handler: Windows has none.
    before = {number: signal.signal(number, stop_soon) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        async with smsc.serve(host, port, tls=tls) as server:
            ready(server)
            if view is not None:
                await _show(view, smsc, stop)
            await stop.wait()
    except OSError as error:
        journal = smsc.settings.journal
        if journal is not None and error.filename == str(journal):
            raise UserError("simulate-journal-unwritable", file=str(journal), reason=error.strerror) from None
        raise UserError("simulate-port-taken", port=port) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def _show(view: LiveView, smsc: Smsc, stop: asyncio.Event) -> None:
    with view.live(smsc.counters) as redraw:
        while not stop.is_set():
            redraw()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _REDRAW)


def _print_event(event: Event) -> None:
    facts = {name: value for name, value in asdict(event).items() if value and name not in ("kind", "at")}
    try:
        _print_json(event=event.kind, at=event.at.isoformat(), **facts)
    except BrokenPipeError:  # who read it has gone: end as if asked to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        signal.raise_signal(signal.SIGTERM)


def _print_json(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
    sys.stdout.flush()
