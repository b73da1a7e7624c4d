"""The command line. Each command imports what it needs when it runs, so that help is instant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bindrill.console import complain, flush_output
from bindrill.errors import (
    EXIT_BAD_INPUT,
    EXIT_INTERRUPTED,
    EXIT_UNREAD,
    exit_code_of,
    for_the_user,
)
from bindrill.faults import app as faults_app
from bindrill.surroundings import settle
from scenarios.ceilings.soft_limits import raise_soft_limits
from scenarios.interruption import as_interrupts

# Typer exports the leaf of this hierarchy only.
_UsageError: type[Any] = typer.BadParameter.__bases__[0]


class _OneLineErrors(TyperGroup):
    """Problems that are the user's to mend are one line each, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except _UsageError as error:
            lines, code = [error.format_message()], EXIT_BAD_INPUT
        except KeyboardInterrupt:
            lines, code = ["interrupted"], EXIT_INTERRUPTED
        except BrokenPipeError:
            lines, code = [], EXIT_UNREAD
        except Exception as error:
            told = for_the_user(error)
            if told is None:
                raise
            lines, code = told, exit_code_of(error)
        for line in filter(None, lines):  # help that was asked for by no argument says nothing more
            complain(line)
        sys.exit(code)


app = typer.Typer(
    cls=_OneLineErrors,
    name="bindrill",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Simulate and load-test bank-card binding: one scenario, two clocks, one report.",
    epilog="Exit codes: 0 objectives met, 99 objectives missed, 98 the testbed was the limit,"
    " 97 the run failed or did not test what it was to test, 2 bad input, 130 interrupted.",
)

app.add_typer(faults_app, name="faults")

ScenarioArgument = Annotated[
    str,
    typer.Argument(metavar="FILE|NAME", help="A scenario file, or a name from `bindrill list`."),
]


JobsOption = Annotated[
    int | None,
    typer.Option(min=1, max=1024, help="Simulations at a time; as many as cores if not given."),
]


def _scheduler(address: str | None) -> str | None:
    """Refuse an address that is none before anything is simulated."""
    from scenarios.addresses import check_scheduler

    if address not in (None, "local"):
        check_scheduler("--cluster", address)
    return address


JudgeAtLimitOption = Annotated[
    bool,
    typer.Option(
        "--judge-at-limit",
        help="Judge objectives even at a limit of the testbed itself, which is said all the same.",
    ),
]

ClusterOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS|local",
        callback=_scheduler,
        help="Simulate on this Dask cluster, or on one of --jobs workers made for the purpose.",
    ),
]

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        envvar="BINDRILL_DB",
        help="The lender's database; SQLite if not given. A password in it is for the variable:"
        " others can read command lines.",
    ),
]


@app.command()
def run(
    scenario: ScenarioArgument,
    sim: Annotated[bool, typer.Option("--sim", help="Virtual time only.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Wall time only.")] = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the scenario's.")] = None,
    duration: Annotated[
        str | None, typer.Option(help="Instead of the scenario's, such as 30s or 24h.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option(help="Arrivals instead of the scenario's, such as 20/s.")
    ] = None,
    variant: Annotated[
        str | None, typer.Option(metavar="NAME", help="This variant alone, instead of all.")
    ] = None,
    replications: Annotated[
        int, typer.Option(min=1, max=100_000, help="Simulate so many times; figures get intervals.")
    ] = 1,
    jobs: JobsOption = None,
    cluster: ClusterOption = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Stop replications once throughput and success rate are known to, say, 5%."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that run folders go to.")] = Path("runs"),
    target: Annotated[
        str | None, typer.Option(metavar="URL", help="Load this binding service, not ours.")
    ] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Let --target be another machine.")
    ] = False,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Locust processes.")] = 1,
    db: DatabaseOption = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Measured service times, from `bindrill calibrate`.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    twin: Annotated[
        bool,
        typer.Option(
            "--twin/--no-twin", help="Also simulate it without faults, to measure what they cost."
        ),
    ] = True,
    judge_at_limit: JudgeAtLimitOption = False,
) -> None:
    """Play a scenario in virtual time, then in wall time, and report both side by side."""
    from bindrill.run import RunOptions, run_scenario

    if sim and live:
        raise typer.BadParameter("--sim and --live exclude each other; give neither to play both.")
    if target is not None and sim:
        raise typer.BadParameter("--target is loaded in wall time; leave out --sim.")
    if replications > 1 and live:
        raise typer.BadParameter("--replications are simulated; leave out --live.")
    if cluster is not None and replications == 1:
        raise typer.BadParameter("--cluster shares out replications; give --replications too.")
    if precision is not None and replications == 1:
        raise typer.BadParameter("--precision stops replications early; give --replications too.")
    sys.exit(
        run_scenario(
            scenario,
            RunOptions(
                clocks=("sim",) if sim else ("live",) if live else ("sim", "live"),
                seed=seed,
                duration=duration,
                rate=rate,
                variant=variant,
                replications=replications,
                jobs=jobs,
                cluster=cluster,
                precision=precision,
                out=out,
                target=target,
                allow_remote=allow_remote,
                processes=processes,
                database=db,
                calibration=calibration,
                json=json,
                twin=twin,
                judge_at_limit=judge_at_limit,
            ),
        )
    )


@app.command()
def drill(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME|FILE", help="A drill; all are listed if not given."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that run folders go to.")] = Path("runs"),
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the drill's.")] = None,
    duration: Annotated[
        str | None, typer.Option(help="Of the load, instead of the drill's, such as 60s.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option(help="Arrivals instead of the drill's, such as 10/s.")
    ] = None,
    repeat: Annotated[
        int, typer.Option(min=1, max=1000, help="So many drills, with seeds one after the other.")
    ] = 1,
    lang: Annotated[str, typer.Option(help="Of the evidence: en or zh.")] = "en",
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="The evidence as PDF too.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    evidence: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Write the evidence of an earlier drill again."),
    ] = None,
    calendar: Annotated[
        bool, typer.Option("--calendar", help="Show when each drill was last run.")
    ] = False,
    every: Annotated[
        str | None, typer.Option(help="With --calendar: when a drill is due again, such as 90d.")
    ] = None,
    predict: Annotated[
        bool, typer.Option("--predict", help="Simulate it many times: distributions of RTO, RPO.")
    ] = False,
    drills: Annotated[
        int | None, typer.Option(min=1, max=10_000_000, help="With --predict; 10000 if not given.")
    ] = None,
    database_size: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="With --predict: of a database of, say, 500GB."),
    ] = None,
    staged: Annotated[
        bool,
        typer.Option("--staged", help="With --predict: at the written time, not at any moment."),
    ] = False,
    drill_calibration: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --predict or --table: measured times of actions."),
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Fit times of actions to the drills below --out."),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE.md", help="Drills below --out beside their predictions."),
    ] = None,
    judge_at_limit: JudgeAtLimitOption = False,
) -> None:
    """Destroy something real under load, bring it back, and prove what was lost."""
    if predict or staged or drills is not None or database_size is not None:
        if not predict:
            option = "--staged" if staged else "--drills" if drills else "--database-size"
            raise typer.BadParameter(f"{option} belongs to --predict; give that too.")
        if name is None:
            raise typer.BadParameter("--predict needs the name of a drill; give one.")
        from bindrill.predict import PredictOptions, predict_drill

        sys.exit(
            predict_drill(
                name,
                PredictOptions(
                    out=out,
                    drills=drills or 10_000,
                    database_size=database_size,
                    calibration=drill_calibration,
                    moment="written" if staged else "any",
                    seed=seed,
                    duration=duration,
                    rate=rate,
                    json=json,
                ),
            )
        )
    if drill_calibration is not None and table is None:
        raise typer.BadParameter("--drill-calibration belongs to --predict or --table; give one.")
    if name is not None and (calibrate or table):
        raise typer.BadParameter("--calibrate and --table take no drill; leave out its name.")
    if calibrate is not None and table is not None:
        raise typer.BadParameter("--calibrate and --table are two commands; give one.")
    if calibrate is not None:
        from bindrill.drill_table import calibrate_drills

        sys.exit(calibrate_drills(out, calibrate))
    if table is not None:
        from bindrill.drill_table import measured_table

        sys.exit(measured_table(out, table, drill_calibration))
    from bindrill.drill import DrillOptions, drill_scenario, list_drills
    from bindrill.evidence import remake_evidence, show_calendar

    if every is not None and not calendar:
        raise typer.BadParameter("--every belongs to --calendar; give that too.")
    if name is not None and (calendar or evidence is not None):
        raise typer.BadParameter("--calendar and --evidence take no drill; leave out its name.")
    if calendar:
        sys.exit(show_calendar(out, every=every, as_json=json))
    if evidence is not None:
        sys.exit(remake_evidence(evidence, lang=lang, pdf=pdf))
    if name is None:
        sys.exit(list_drills())
    sys.exit(
        drill_scenario(
            name,
            DrillOptions(
                out=out,
                seed=seed,
                duration=duration,
                rate=rate,
                lang=lang,
                pdf=pdf,
                json=json,
                repeat=repeat,
                judge_at_limit=judge_at_limit,
            ),
        )
    )


@app.command()
def sweep(
    scenario: ScenarioArgument,
    vary: Annotated[
        list[str],
        typer.Option(
            metavar="PATH=VALUES",
            help="A field and its values: fault.bank.duration=5s..120s, arrivals.rate=2/s..12/s:5,"
            " lender.bank.attempts=1,2,4. Give one or two.",
        ),
    ],
    variant: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of this variant of the scenario.")
    ] = None,
    points: Annotated[int, typer.Option(min=2, max=200, help="Values in each range.")] = 8,
    jobs: JobsOption = None,
    cluster: ClusterOption = None,
    measure: Annotated[
        str,
        typer.Option(help="recovers, time_to_recover, success_rate, throughput, p95(confirm), …"),
    ] = "recovers",
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the scenario's.")] = None,
    duration: Annotated[
        str | None, typer.Option(help="Instead of the scenario's, such as 10m.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option(help="Arrivals instead of the scenario's, such as 20/s.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that the sweep's folder goes to.")] = Path(
        "runs"
    ),
) -> None:
    """Simulate a grid of one or two varied fields and draw its map."""
    from bindrill.sweep import SweepOptions, sweep_scenario

    sys.exit(
        sweep_scenario(
            scenario,
            SweepOptions(
                vary=tuple(vary),
                variant=variant,
                points=points,
                jobs=jobs,
                cluster=cluster,
                measure=measure,
                seed=seed,
                duration=duration,
                rate=rate,
                out=out,
            ),
        )
    )


@app.command()
def capacity(
    scenario: ScenarioArgument,
    sim: Annotated[bool, typer.Option("--sim", help="Virtual time only.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Wall time only.")] = False,
    variant: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of this variant of the scenario.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the scenario's.")] = None,
    duration: Annotated[
        str | None, typer.Option(help="Of each measure, instead of the scenario's, such as 30s.")
    ] = None,
    lowest: Annotated[
        str | None, typer.Option("--from", metavar="RATE", help="Lowest rate to try, such as 2/s.")
    ] = None,
    highest: Annotated[
        str | None, typer.Option("--to", metavar="RATE", help="Highest rate to try, such as 100/s.")
    ] = None,
    precision: Annotated[
        str, typer.Option(help="How near the rate that holds and the one that fails must come.")
    ] = "5%",
    replications: Annotated[
        int,
        typer.Option(min=1, max=100, help="Simulations by which a rate must hold, or fail."),
    ] = 3,
    repeats: Annotated[
        int, typer.Option(min=1, max=20, help="Live measures by which a rate must hold, or fail.")
    ] = 2,
    within: Annotated[
        str, typer.Option(help="No live measure begins after so long, such as 20m.")
    ] = "1h",
    jobs: JobsOption = None,
    cluster: ClusterOption = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Locust processes.")] = 1,
    db: DatabaseOption = None,
    target: Annotated[
        str | None, typer.Option(metavar="URL", help="Load this binding service, not ours.")
    ] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Let --target be another machine.")
    ] = False,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="Measured service times, from `bindrill calibrate --at-load`, instead of measuring"
            " them first."
        ),
    ] = None,
    calibrate: Annotated[
        bool,
        typer.Option(
            help="With both clocks, measure this machine's service times before simulating."
        ),
    ] = True,
    out: Annotated[Path, typer.Option(help="Folder that the search's folder goes to.")] = Path(
        "runs"
    ),
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    judge_at_limit: JudgeAtLimitOption = False,
) -> None:
    """Find the highest arrival rate at which the objectives hold, and what saturates first."""
    from bindrill.capacity import CapacityOptions, find_capacity

    if sim and live:
        raise typer.BadParameter("--sim and --live exclude each other; give neither for both.")
    if target is not None and sim:
        raise typer.BadParameter("--target is loaded in wall time; leave out --sim.")
    sys.exit(
        find_capacity(
            scenario,
            CapacityOptions(
                clocks=("sim",) if sim else ("live",) if live else ("sim", "live"),
                variant=variant,
                seed=seed,
                duration=duration,
                lowest=lowest,
                highest=highest,
                precision=precision,
                replications=replications,
                repeats=repeats,
                within=within,
                jobs=jobs,
                cluster=cluster,
                processes=processes,
                database=db,
                target=target,
                allow_remote=allow_remote,
                calibration=calibration,
                calibrate=calibrate,
                out=out,
                json=json,
                judge_at_limit=judge_at_limit,
            ),
        )
    )


@app.command()
def plan(
    scenario: ScenarioArgument = "baseline",
    demand: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Applications by month, see docs/planning.md."),
    ] = None,
    growth: Annotated[str, typer.Option(help="Instead of a file: growth a month.")] = "5%",
    start: Annotated[
        str | None, typer.Option(metavar="RATE", help="With --growth: at first, such as 2000/day.")
    ] = None,
    months: Annotated[int, typer.Option(min=1, max=120, help="With --growth: how many.")] = 24,
    first: Annotated[
        str | None,
        typer.Option(metavar="MONTH", help="With --growth: as 2027-01; the next if not given."),
    ] = None,
    peaks: Annotated[
        Path | None, typer.Option(help="How applications pile up; the shipped shapes if not given.")
    ] = None,
    uncertainty: Annotated[
        str, typer.Option(help="Half the width of the forecast's 95 % interval a year ahead.")
    ] = "10%",
    headroom: Annotated[str, typer.Option(help="To spare above the expected peak.")] = "30%",
    degraded: Annotated[
        str, typer.Option(help="What the bank still serves of its quota in a fault.")
    ] = "75%",
    prices: Annotated[
        Path | None, typer.Option(help="Prices in fen; the shipped example if not given.")
    ] = None,
    today: Annotated[
        Path | None, typer.Option(help="Today's set-up; the shipped example if not given.")
    ] = None,
    capacity: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A capacity.json, to compare its measured limits."),
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Measured service times, from `bindrill calibrate`.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the scenario's.")] = None,
    duration: Annotated[
        str | None,
        typer.Option(help="Arrivals of each simulation; the scenario's, up to 30s, if not given."),
    ] = None,
    replications: Annotated[
        int, typer.Option(min=2, max=100, help="Simulations of what a customer needs.")
    ] = 4,
    jobs: JobsOption = None,
    cluster: ClusterOption = None,
    confirm: Annotated[
        int, typer.Option(min=0, max=24, help="Months whose plan is tried in simulation.")
    ] = 2,
    lang: Annotated[str, typer.Option(help="Language of the report: en or zh.")] = "en",
    out: Annotated[Path, typer.Option(help="Folder that the plan's folder goes to.")] = Path(
        "runs"
    ),
    json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Plan ahead: what is needed by month, its cost, and when today's set-up runs out."""
    from bindrill.plan import PlanOptions, make_plan

    sys.exit(
        make_plan(
            scenario,
            PlanOptions(
                demand=demand,
                growth=growth,
                start=start,
                months=months,
                first=first,
                peaks=peaks,
                uncertainty=uncertainty,
                headroom=headroom,
                degraded=degraded,
                prices=prices,
                today=today,
                capacity=capacity,
                calibration=calibration,
                seed=seed,
                duration=duration,
                replications=replications,
                jobs=jobs,
                cluster=cluster,
                confirm=confirm,
                lang=lang,
                out=out,
                json=json,
            ),
        )
    )


@app.command()
def serve(
    scenario: Annotated[
        str | None, typer.Option(metavar="FILE|NAME", help="Whose world and policies to serve.")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help="Leave out bank, sms, payment or lender (may be repeated)."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    lender_port: Annotated[int, typer.Option(min=0, max=65535)] = 8080,
    bank_port: Annotated[int, typer.Option(min=0, max=65535)] = 8081,
    sms_port: Annotated[int, typer.Option(min=0, max=65535)] = 8082,
    payment_port: Annotated[int, typer.Option(min=0, max=65535)] = 8083,
    db: DatabaseOption = None,
    callback_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where callbacks go when the lender is not ours."),
    ] = None,
    admin_token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            envvar="BINDRILL_ADMIN_TOKEN",
            help="Needed for /__admin on another address than loopback. Others can read command"
            " lines: better the variable or the file.",
        ),
    ] = None,
    admin_token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file that holds the admin token.")
    ] = None,
    admin_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where /__admin is when a fault closes a port.")
    ] = 8084,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name to answer to beside --host (may be repeated)."),
    ] = None,
    allow_customer_headers: Annotated[
        bool,
        typer.Option(
            "--allow-customer-headers",
            help="Let the lender's customers choose a namespace and name themselves to faults.",
        ),
    ] = False,
    log_requests: Annotated[bool, typer.Option("--log-requests", help="A line a request.")] = False,
) -> None:
    """Serve the gateways and the reference lender for a team's own tests, until Ctrl-C."""
    from bindrill.option_values import secret
    from bindrill.serve import serve_stack

    sys.exit(
        serve_stack(
            scenario=scenario,
            without=tuple(without or ()),
            host=host,
            ports={
                "lender": lender_port,
                "bank": bank_port,
                "sms": sms_port,
                "payment": payment_port,
            },
            database=db,
            callback_url=callback_url,
            admin_token=secret("--admin-token", admin_token, admin_token_file),
            admin_port=admin_port,
            allow_hosts=tuple(allow_host or ()),
            allow_customer_headers=allow_customer_headers,
            log_requests=log_requests,
        )
    )


@app.command()
def report(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A folder below runs/.")],
) -> None:
    """Write a run's report again from its events, and print the verdict."""
    from bindrill.results import report_run

    sys.exit(report_run(run_folder))


@app.command()
def compare(
    run_a: Annotated[Path, typer.Argument(metavar="A")],
    run_b: Annotated[Path, typer.Argument(metavar="B")],
) -> None:
    """Compare two runs, measure by measure."""
    from bindrill.results import compare_runs

    sys.exit(compare_runs(run_a, run_b))


@app.command()
def join(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run with both clocks.")],
) -> None:
    """Join the customers of both clocks and print where they ended differently."""
    from bindrill.results import join_run

    sys.exit(join_run(run_folder))


@app.command()
def validate(files: Annotated[list[str], typer.Argument(metavar="FILE...")]) -> None:
    """Check scenario files and report every mistake with its line."""
    from bindrill.scenario_files import validate_files

    sys.exit(validate_files(files))


@app.command()
def reconcile(
    run_folder: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="Show what this run recorded, and ask no server."),
    ] = None,
    db: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="BINDRILL_DB",
            help="The lender's database; that of `serve` if not given.",
        ),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The lender's key ring, to see if records still open."),
    ] = None,
    bank: Annotated[
        str | None, typer.Option(metavar="URL", help="The bank's root; port 8081 if not given.")
    ] = None,
    payment: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The payment gateway's root; port 8083 if not given."),
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Also mend what is safe, then compare again.")
    ] = False,
) -> None:
    """Compare lender, bank and payment gateway: exit code 0 if they agree, else 99."""
    from bindrill.reconcile import reconcile_run, reconcile_servers

    if run_folder is not None:
        sys.exit(reconcile_run(run_folder))
    sys.exit(reconcile_servers(db, keys, bank, payment, repair))


@app.command("import")
def import_recording(
    recording: Annotated[
        Path,
        typer.Argument(metavar="FILE.csv", help="Per-minute series, see docs/incidents-import.md."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.yaml", help="The scenario; named as the CSV if not given."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The scenario's name.")] = None,
) -> None:
    """Turn a recorded incident into a scenario that replays it."""
    from bindrill.import_incident import import_incident

    sys.exit(import_incident(recording, out, name))


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from bindrill.scenario_files import print_schema

    print_schema()


@app.command()
def data(
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="AGE", help="Those alone whose figures are older, such as 730d; 99 if any is."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the data files: where their figures are from, and how old they are."""
    from bindrill.data import show_data

    sys.exit(show_data(older_than, as_json=json))


@app.command("list")
def list_library() -> None:
    """List the shipped scenarios."""
    from bindrill.scenario_files import print_library

    print_library()


@app.command()
def calibrate(
    scenario: ScenarioArgument = "baseline",
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("calibration.yaml"),
    duration: Annotated[str, typer.Option(help="How long to measure.")] = "30s",
    rate: Annotated[
        str | None,
        typer.Option(
            help="Arrivals: 2/s if not given, low so that nothing queues; the scenario's own as the"
            " first of --at-load."
        ),
    ] = None,
    at_load: Annotated[
        bool,
        typer.Option(
            "--at-load",
            help="By the processor time used at several loads, as `capacity` does by itself.",
        ),
    ] = False,
) -> None:
    """Measure service times on this machine with a light live run, for `run --calibration`."""
    from bindrill.calibrate import calibrate_machine

    sys.exit(calibrate_machine(scenario, out=out, duration=duration, rate=rate, at_load=at_load))


@app.command()
def fidelity(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE|NAME",
            help="All shipped ones of up to 90 s, drain included, if not given.",
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(help="The table; explanations are read from <name>-notes.yaml beside it."),
    ] = Path("docs/fidelity.md"),
    runs: Annotated[Path, typer.Option(help="Folder that run folders go to.")] = Path("runs"),
    calibration: Annotated[
        Path | None,
        typer.Option(help="Measured service times; this machine is measured first if not given."),
    ] = None,
) -> None:
    """Play scenarios in both clocks and write one table of prediction against measurement."""
    from bindrill.fidelity import FidelityOptions, write_fidelity

    sys.exit(
        write_fidelity(
            FidelityOptions(
                scenarios=tuple(scenarios or ()), out=out, runs=runs, calibration=calibration
            )
        )
    )


def main() -> None:
    """Run the command line."""
    settle()
    raise_soft_limits()
    try:
        with as_interrupts():
            app()
    except KeyboardInterrupt:  # before there is a command to be interrupted
        complain("interrupted")
        sys.exit(EXIT_INTERRUPTED)
    except OSError as error:
        # Help is printed before any command is invoked.
        complain(f"standard output: {error.strerror}")
        sys.exit(EXIT_BAD_INPUT)
    finally:
        # Here and not when the interpreter ends, which would say so in its own words.
        if (code := flush_output()) is not None:
            sys.exit(code)
