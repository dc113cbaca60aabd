# SPDX-License-Identifier: GPL-2.0-only
#
# Reads what run-tests.sh printed and prints "PASSED FAILED SKIPPED", then a line for each failure and
# each skip. A program passes its tests only if it announced how many there are and reported that
# many: one that dies half-way, or never starts, is a failure of its own.

function fail(text) {
	failed++
	notes = notes "failed: " program ": " text "\n"
}

function end_of_program(status) {
	if (program == "")
		return
	if (planned < 0)
		fail("no test plan (exit status " status ")")
	else if (planned != reported)
		fail(planned " tests planned, " reported " reported (exit status " status ")")
	else if (status != 0 && status != 4 && failed == failed_before)
		fail("every test passed, but the exit status is " status)
	program = ""
}

# The text after the number; "# SKIP reason" may be all there is.
function describe(line) {
	sub(/^(not )?ok[ \t]*[0-9]*[ \t]*(- )?/, "", line)
	return line
}

/^# begin: / {
	end_of_program("unknown")
	program = $3
	sub(/.*\//, "", program)
	planned = -1
	reported = 0
	failed_before = failed
}

/^# end: / { end_of_program($NF) }

program == "" { next }

# "1..0 # SKIP reason" skips the whole program.
/^1\.\.[0-9]+/ {
	split($1, range, /\.\./)
	planned = (planned < 0 ? 0 : planned) + range[2]
	if (range[2] == 0) {
		skipped++
		sub(/^1\.\.0[ \t]*/, "")
		notes = notes "skipped: " program ": " $0 "\n"
	}
}

/^ok([ \t]|$)/ {
	reported++
	if (toupper($0) ~ /# *(SKIP|XFAIL)/) {
		skipped++
		notes = notes "skipped: " program ": " describe($0) "\n"
	} else {
		passed++
	}
}

/^not ok([ \t]|$)/ {
	reported++
	fail(describe($0))
}

/^Bail out!/ { fail($0) }

END {
	end_of_program("unknown")
	printf "%d %d %d\n%s", passed, failed, skipped, notes
}
