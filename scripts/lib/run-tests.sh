#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run-tests.sh PROGRAM...: runs test programs one after the other, natively or in the guest, and marks
# where each one's output begins and how it ended, for scripts/lib/count-tests.awk.

for program; do
	printf '# begin: %s\n' "$program"
	"$program" </dev/null 2>&1
	printf '\n# end: %s %s\n' "$program" "$?"
done
