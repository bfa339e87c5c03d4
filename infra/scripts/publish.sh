#!/bin/sh
# Packages the handler and publishes it to the Function App.
#
#   publish.sh [NAME]    NAME of the Function App; without it $functionAppName, which azd sets from the deployment's outputs
#
# `az` must be logged in as somebody who may publish (Website Contributor on the Function App). Publishing is repeated while
# it fails, because the rights of a Function App that was made just now take some minutes to work everywhere.
set -eu

attempts=5
pause=60

fail() {
    printf 'publish.sh: %s\n' "$*" >&2
    exit 1
}

app="${1:-${functionAppName:-}}"
[ -n "$app" ] || fail "which Function App? Give its name, the output functionAppName of the deployment"
[ $# -le 1 ] || fail "one name is enough"
for tool in az cargo func; do
    command -v "$tool" >/dev/null 2>&1 || fail "$tool is needed (DEPLOY.md tells where from)"
done
az account show --output none 2>/dev/null || fail "log in first: az login"

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
cargo xtask package

# From this folder only: what lies in it is what is published.
cd "$root/target/package"
for file in host.json handler; do
    [ -f "$file" ] || fail "target/package holds no $file"
done

attempt=1
until func azure functionapp publish "$app" --no-build; do
    [ "$attempt" -lt "$attempts" ] || fail "publishing to $app failed $attempts times"
    attempt=$((attempt + 1))
    printf 'publish.sh: attempt %s of %s begins in %s seconds\n' "$attempt" "$attempts" "$pause" >&2
    sleep "$pause"
done
printf 'published to %s\n' "$app"
