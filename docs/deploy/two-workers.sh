#!/bin/sh
# One Locust master and two workers on this machine, against the gateways and the lender on loopback,
# then the report of the whole. On several machines each command stands alone: docs/distributed.md.
#
#   docs/deploy/two-workers.sh [SCENARIO] [FOLDER]
#
# Ports: LENDER_PORT (8080), BANK_PORT, SMS_PORT, PAYMENT_PORT, and MASTER_PORT (5557) for the workers.
set -eu
scenario=${1:-baseline}
folder=$(mkdir -p "${2:-two-workers}" && cd "${2:-two-workers}" && pwd)
here=$(cd "$(dirname "$0")/../.." && pwd)
lender=http://127.0.0.1:${LENDER_PORT:=8080}
export BINDRILL_SCENARIO="$scenario" BINDRILL_SMS_URL="http://127.0.0.1:${SMS_PORT:=8082}"

pids=
trap 'kill $pids 2>/dev/null || true; wait' EXIT
trap 'exit 130' INT TERM

bindrill serve --scenario "$scenario" --db "sqlite:///$folder/lender.db" --lender-port "$LENDER_PORT" \
  --bank-port "${BANK_PORT:-8081}" --sms-port "$SMS_PORT" --payment-port "${PAYMENT_PORT:-8083}" \
  --allow-customer-headers &
pids="$pids $!"
tries=0
until python -c "import urllib.request as u; u.urlopen('$lender/ready')" 2>/dev/null; do
  tries=$((tries + 1))
  test $tries -lt 60 || { echo "the lender does not answer at $lender" >&2; exit 1; }
  sleep 0.5
done

locust="python -m locust -f $here/loadtests/locustfile.py --host $lender"
for worker in 1 2; do
  $locust --worker --master-host 127.0.0.1 --master-port "${MASTER_PORT:=5557}" &
  pids="$pids $!"
done
# The master alone has a folder for events: the workers send theirs.
BINDRILL_EVENTS="$folder" $locust --master --master-bind-host 127.0.0.1 --master-bind-port "$MASTER_PORT" \
  --headless --only-summary --expect-workers 2 --expect-workers-max-wait 60 --exit-code-on-error 0

run=$(python -m loadtests.gathered_run "$scenario" "$folder" --out "$folder/runs")
bindrill report "$run" || test $? -eq 99
