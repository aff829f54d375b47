#!/bin/sh
# Runs a command under a headline and says how long it took: deploy/step.sh NAME COMMAND...
name=$1
shift
printf '\n== %s\n' "$name"
started=$(date +%s)
"$@"
code=$?
[ $code -eq 0 ] && result=ok || result="FAILED (exit code $code)"
printf -- '-- %s: %s, %s s\n' "$name" "$result" $(($(date +%s) - started))
exit $code
