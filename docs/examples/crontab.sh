#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# From cron to a book: a crontab is looked at, imported, changed and imported again; one of its jobs runs at once. crontab.sh makes a book
# of its own in a temporary directory; DAYBOOK names the tool.
set -euo pipefail

daybook=${DAYBOOK:-daybook}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
export DAYBOOK_DIR=$place/book

say() { printf '\n# %s\n' "$*"; }

cat >"$place/ada" <<'CRONTAB'
CRON_TZ=Europe/Prague
GREETING="good morning"

# m h  dom mon dow  command
30  2  *   *   *    echo "backup of $(date +\%Y)" | tr a-z A-Z
0   7  *   *   1-5  echo "$GREETING"; cat%ada%grace
@reboot             echo "started"
CRONTAB

say "What would become of it? One line cannot be taken, so the exit code is 1"
"$daybook" import-crontab "$place/ada" --owner ada --dry-run || echo "exit code $?"

say "It is imported"
"$daybook" import-crontab "$place/ada" --owner ada 2>/dev/null || echo "exit code $?"

say "The backup moves to three o'clock, the other line goes: its schedule is changed, and the other's removed"
sed -i -e 's/^30  2/0   3/' -e '/GREETING\|reboot/d' "$place/ada"
"$daybook" import-crontab "$place/ada" --owner ada 2>/dev/null

say "How it stands"
"$daybook" recurring list
backup=$("$daybook" recurring list --json | grep -o '"name":"[^"]*"' | cut -d '"' -f 4)
"$daybook" recurring show "$backup"

say "Once at once, and a shell runs it as cron would"
job=$("$daybook" recurring run-now "$backup" --reason "before the upgrade")
"$daybook" work --queue cron --until-empty -- sh 2>/dev/null
"$daybook" wait "$job" --for 1m
