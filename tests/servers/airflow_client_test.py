"""Drives a running Tidewheel with the published client of Airflow 3.

Arguments: the URL of the API, a token. Prints "ok <step>" for each step; exits with 1 at the first
that fails.
"""

import datetime as dt
import sys
import time

import airflow_client.client as airflow
from airflow_client.client.exceptions import ApiException

url, token = sys.argv[1:]
client = airflow.ApiClient(airflow.Configuration(host=url, access_token=token))
dags = airflow.DAGApi(client)
runs = airflow.DagRunApi(client)
tasks = airflow.TaskInstanceApi(client)
DAG = "client_check"


def step(name, holds=True, shown=""):
    if not holds:
        sys.exit(f"failed {name}: {shown}")
    print(f"ok {name}", flush=True)


def until(look, seconds=30):
    """The first true result of `look`."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found or time.monotonic() > end:
            return found
        time.sleep(0.1)


def refused(status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ApiException as error:
        return error.status == status
    return False


# The service.
step("version", airflow.VersionApi(client).get_version().version)
health = airflow.MonitorApi(client).get_health()
step("health", health.metadatabase.status == "healthy", health)

# DAGs.
listed = until(lambda: [d for d in dags.get_dags(limit=100).dags if d.dag_id == DAG])
step("list dags", listed, listed)
step("filter dags by tag", [d.dag_id for d in dags.get_dags(tags=["client"]).dags] == [DAG])
step("get dag", dags.get_dag(DAG).owners == ["desk"])
details = dags.get_dag_details(DAG)
step("dag details", details.params["symbol"]["value"] == "IBM", details.params)
step("dag tags", "client" in dags.get_dag_tags().tags)
step("dag versions", airflow.DagVersionApi(client).get_dag_versions(DAG).total_entries == 1)
source = airflow.DagSourceApi(client).get_dag_source(DAG)
step("dag source", "client_check" in source.content, source)
all_tasks = airflow.TaskApi(client).get_tasks(DAG)
step("tasks", {t.task_id for t in all_tasks.tasks} >= {"hello", "shaky", "each"}, all_tasks)
step("one task", airflow.TaskApi(client).get_task(DAG, "shaky").retries == 0)
paused = dags.patch_dag(DAG, airflow.DAGPatchBody(is_paused=True))
step("pause", paused.is_paused)
dags.patch_dag(DAG, airflow.DAGPatchBody(is_paused=False))
step("unknown dag", refused(404, dags.get_dag, "no_such_dag"))

# Runs.
body = airflow.TriggerDAGRunPostBody(
    dag_run_id="first", conf={"symbol": "AAPL"}, note="by the client", logical_date=None
)
run = runs.trigger_dag_run(DAG, body)
step("trigger", (run.dag_run_id, run.note) == ("first", "by the client"), run)
step("trigger twice", refused(409, runs.trigger_dag_run, DAG, body))
wrong = airflow.TriggerDAGRunPostBody(conf={"symbol": 7}, logical_date=None)
step("conf that does not fit", refused(400, runs.trigger_dag_run, DAG, wrong))
waited = airflow.ExperimentalApi(client).wait_dag_run_until_finished(
    dag_id=DAG, dag_run_id="first", interval=1
)
step("wait", waited["state"] == "failed", waited)
run = runs.get_dag_run(DAG, "first")
step("get run", run.state.value == "failed" and run.end_date and run.duration > 0, run)
page = runs.get_dag_runs("~", state=["failed"], order_by=["-run_after"], limit=5)
step("list runs", [r.dag_run_id for r in page.dag_runs] == ["first"], page)
batch = runs.get_list_dag_runs_batch("~", airflow.DAGRunsBatchBody(dag_ids=[DAG]))
step("list runs by body", batch.total_entries == 1, batch)

# Task instances.
found = {t.task_id: t for t in tasks.get_task_instances(DAG, "first").task_instances if t.map_index < 0}
step("task instances", found["hello"].state.value == "success", found)
step("failed task", found["shaky"].state.value == "failed" and found["shaky"].try_number == 1, found)
step("one task instance", tasks.get_task_instance(DAG, "first", "hello").operator == "task")
mapped = tasks.get_mapped_task_instances(DAG, "first", "each")
step("mapped instances", sorted(t.map_index for t in mapped.task_instances) == [0, 1, 2], mapped)
one = tasks.get_mapped_task_instance(DAG, "first", "each", 2)
step("one mapped instance", one.state.value == "success", one)
tries = tasks.get_task_instance_tries(DAG, "first", "shaky")
step("tries", [t.try_number for t in tries.task_instances] == [1], tries)

# Logs and outputs.
log = tasks.get_log(DAG, "first", "hello", 1, full_content=True)
events = [line.event for line in log.content.actual_instance]
step("log", any("hello AAPL" in event for event in events), events)
log = tasks.get_log(DAG, "first", "each", 1, map_index=1)
step("log of a mapped instance", log.content.actual_instance, log)
value = airflow.XComApi(client).get_xcom_entry(
    dag_id=DAG, dag_run_id="first", task_id="hello", xcom_key="return_value"
)
step("output", value.actual_instance.value == "AAPL", value)
entries = airflow.XComApi(client).get_xcom_entries(dag_id=DAG, dag_run_id="first", task_id="~")
step("outputs", entries.total_entries >= 1, entries)

# Clear and run again: now the variable that the task looks for is there.
variables = airflow.VariableApi(client)
made = variables.post_variable(airflow.VariableBody(key="client_ready", value="yes"))
step("make a variable", made.value == "yes", made)
would = tasks.post_clear_task_instances(
    DAG, airflow.ClearTaskInstancesBody(dag_run_id="first", dry_run=True, only_failed=True)
)
step("clear, dry", [t.task_id for t in would.task_instances] == ["shaky"], would)
tasks.post_clear_task_instances(
    DAG, airflow.ClearTaskInstancesBody(dag_run_id="first", dry_run=False, only_failed=True)
)
ended = until(lambda: runs.get_dag_run(DAG, "first").state.value == "success")
step("clear", ended, tasks.get_task_instances(DAG, "first"))
tries = tasks.get_task_instance_tries(DAG, "first", "shaky")
step("two tries", [t.try_number for t in tries.task_instances] == [1, 2], tries)
# Its dry run is left out: the client itself takes a task instance for two shapes at once.
again = runs.clear_dag_run(DAG, "first", airflow.DAGRunClearBody(dry_run=False))
step("clear a run", again.actual_instance.state.value == "queued", again)
ended = until(lambda: runs.get_dag_run(DAG, "first").state.value == "success")
step("it runs again", ended, runs.get_dag_run(DAG, "first"))

# Cancel.
slow = airflow.TriggerDAGRunPostBody(dag_run_id="slow", conf={"sleep": True}, logical_date=None)
runs.trigger_dag_run(DAG, slow)
until(lambda: any(t.state and t.state.value == "running" for t in tasks.get_task_instances(DAG, "slow").task_instances))
runs.patch_dag_run(DAG, "slow", airflow.DAGRunPatchBody(state="failed", note="enough"))
stopped = until(lambda: runs.get_dag_run(DAG, "slow").state.value == "failed")
step("cancel", stopped, runs.get_dag_run(DAG, "slow"))
runs.delete_dag_run(DAG, "slow")
step("delete", refused(404, runs.get_dag_run, DAG, "slow"))

# Backfill.
backfills = airflow.BackfillApi(client)
start = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
plan = airflow.BackfillPostBody(
    dag_id="client_daily", from_date=start, to_date=start + dt.timedelta(days=2)
)
dry = backfills.create_backfill_dry_run(plan)
step("backfill, dry", dry.total_entries == 3, dry)
backfill = backfills.create_backfill(plan)
step("backfill", backfills.list_backfills("client_daily").total_entries == 1, backfill)
done = until(lambda: backfills.get_backfill(backfill.id).completed_at)
step("backfill completes", done, runs.get_dag_runs("client_daily"))

# The rest.
pools = airflow.PoolApi(client)
pools.post_pool(airflow.PoolBody(name="client", slots=3))
step("pool", pools.patch_pool("client", airflow.PoolPatchBody(slots=5)).open_slots == 5)
pools.delete_pool("client")
step("pools", [p.name for p in pools.get_pools().pools] == ["default_pool"])
connections = airflow.ConnectionApi(client)
connections.post_connection(
    airflow.ConnectionBody(connection_id="vendor", conn_type="http", password="secret")
)
step("connection", connections.get_connection("vendor").password == "***")
step("connections", connections.get_connections().total_entries == 1)
step("import errors", airflow.ImportErrorApi(client).get_import_errors().total_entries == 0)
stats = airflow.DagStatsApi(client).get_dag_stats(dag_ids=[DAG])
step("statistics", stats.dags[0].dag_id == DAG, stats)
logs = airflow.EventLogApi(client).get_event_logs(limit=100)
step("audit log", {"dag_run.trigger", "task_instance.clear"} <= {e.event for e in logs.event_logs}, logs)
stranger = airflow.ApiClient(airflow.Configuration(host=url, access_token="wrong"))
step("wrong token", refused(401, airflow.DAGApi(stranger).get_dags))

# Assets.
assets = airflow.AssetApi(client)
listed = until(lambda: {a.name: a for a in assets.get_assets(dag_ids=["client_waits"]).assets})
prices = listed["client.prices"]
step("assets", prices.scheduled_dags[0].dag_id == "client_waits", listed)
body = airflow.CreateAssetEventsBody(asset_id=prices.id, extra={"by": "desk"}, partition_key="p")
made = assets.create_asset_event(body)
step("create asset event", made.partition_key == "p" and made.extra["by"] == "desk", made)
step("get asset", assets.get_asset(prices.id).last_asset_event.id == made.id)
step("asset events", assets.get_asset_events(asset_id=prices.id).asset_events[0].id == made.id)
queued = assets.get_dag_asset_queued_event("client_waits", prices.id)
step("queued event", queued.asset_id == prices.id, queued)
assets.delete_dag_asset_queued_events("client_waits")
step("queued events", refused(404, assets.get_dag_asset_queued_event, "client_waits", prices.id))
step("materialize", refused(404, assets.materialize_asset, prices.id))
