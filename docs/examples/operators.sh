#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# An evening of an operator: the mail server was away, one customer left, one queue is too slow. Every change is looked at first with
# --dry-run, and is on record with its reason. operators.sh makes a book of its own in a temporary directory; DAYBOOK names the tool.
set -euo pipefail

daybook=${DAYBOOK:-daybook}
DAYBOOK_DIR=$(mktemp -d)/book
export DAYBOOK_DIR
trap 'rm -rf "$(dirname "$DAYBOOK_DIR")"' EXIT

say() { printf '\n# %s\n' "$*"; }
schedule() { "$daybook" schedule --queue mail --kind welcome --max-attempts 1 "$@" >/dev/null; }

# What the evening begins with: five mails of two customers, which the mail server refuses, and three that are due tomorrow.
for name in ada grace alan edsger; do schedule --payload "$name@example.org" --tag customer=acme; done 2>/dev/null
schedule --payload barbara@example.com --tag customer=zenith
"$daybook" work --queue mail --until-empty -- sh -c 'echo "smtp 421 try again later" >&2; exit 1' 2>/dev/null
for name in john frances kay; do schedule --payload "$name@example.org" --tag customer=acme --in 1d; done

say "What died, and of what"
"$daybook" jobs --where 'state = dead and error ~ "smtp 421"'

say "The mail server is back. Who would be tried again?"
"$daybook" retry --where 'state = dead and error ~ "smtp 421"' --dry-run --reason "mail server is back"

say "Again, ten a second, so that the server is spared"
"$daybook" retry --where 'state = dead and error ~ "smtp 421"' --rate 10/s --reason "mail server is back"

say "acme left: nothing more is sent to it. Four of its mails wait again, three wait for tomorrow"
"$daybook" cancel --where 'tag.customer = acme and state in (scheduled, available)' --dry-run
"$daybook" cancel --where 'tag.customer = acme and state in (scheduled, available)' --reason "customer left"

say "zenith pays for speed: its mail goes to a queue of its own"
"$daybook" move --where 'tag.customer = zenith and state = available' --to express --reason "case 8812"

say "… but not before the night is over"
"$daybook" reschedule --where 'queue = express' --in 8h --reason "quiet hours"

say "How it stands now"
"$daybook" jobs --where 'queue = express'
"$daybook" stat | sed -n '/^QUEUE/,$p'

say "What was done, by whom and why"
"$daybook" log --json | grep '"OperatorCommanded"' | grep -o '"reason":"[^"]*"'
