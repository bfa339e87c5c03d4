#!/bin/sh
# Publishes the handler to the Function App: a released package, or one that is built here.
#
#   publish.sh [--package ZIP|FOLDER] [NAME]
#
#     --package  a released graph-to-open-linux-x64.zip, whose .sha256 must lie beside it, or the folder that
#                `cargo xtask package` made; without it $PACKAGE; without that, it is built from these sources
#     NAME       of the Function App; without it $functionAppName, which azd sets from the deployment's outputs; without that, the
#                one of the deployment in the resource group that graph-to-open.toml names
#
# `az` must be logged in as somebody who may publish (Website Contributor on the Function App). Publishing is repeated while
# it fails, because the rights of a Function App that was made just now take some minutes to work everywhere.
set -eu

attempts=5
pause=60
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)

fail() {
    printf 'publish.sh: %s\n' "$*" >&2
    exit 1
}

need() {
    for tool; do
        command -v "$tool" >/dev/null 2>&1 || fail "$tool is needed (DEPLOY.md tells where from)"
    done
}

package="${PACKAGE:-}"
if [ "${1:-}" = --package ]; then
    [ $# -ge 2 ] || fail "--package wants a zip or a folder"
    package="$2"
    shift 2
fi
app="${1:-${functionAppName:-}}"
# A key's text in the installation's file.
said() {
    [ -f "$root/graph-to-open.toml" ] || return 0
    tr -d '\r' <"$root/graph-to-open.toml" |
        sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*\"\([^\"]*\)\"[[:space:]]*\$/\1/p"
}
[ $# -le 1 ] || fail "one name is enough"
if [ -z "$package" ] && [ -n "$(said package_url)" ]; then
    echo "publish.sh: the deployment published package_url of graph-to-open.toml"
    exit 0
fi
need az func
az account show --output none 2>/dev/null || fail "log in first: az login"
# Another subscription may be the current one, with a group of the same name.
subscription=$(said subscription_id)
if [ -z "$app" ]; then
    group=$(said resource_group)
    environment=$(said environment)
    [ -n "$group$environment" ] ||
        fail "which Function App? Give its name, the output functionAppName of the deployment, or fill in graph-to-open.toml"
    group="${group:-rg-$environment}"
    app=$(az deployment group show --resource-group "$group" ${subscription:+--subscription "$subscription"} \
        --name graph-to-open --query properties.outputs.functionAppName.value --output tsv) || app=""
    [ -n "$app" ] || fail "nothing was deployed to the resource group $group yet: that comes first"
fi

if [ -z "$package" ]; then
    need cargo
    (cd "$root" && cargo xtask package)
    package="$root/target/package"
elif [ -f "$package" ]; then
    need unzip
    [ -f "$package.sha256" ] || fail "$package.sha256 is missing: take it from the same release"
    read -r expected _ <"$package.sha256" || [ -n "$expected" ]
    if command -v sha256sum >/dev/null 2>&1; then
        found=$(sha256sum <"$package")
    else
        need shasum
        found=$(shasum -a 256 <"$package")
    fi
    [ "${found%% *}" = "$expected" ] || fail "$package is not what was released: its checksum is ${found%% *}"
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    unzip -q "$package" -d "$folder"
    package="$folder"
fi

# From this folder only: what lies in it is what is published.
cd "$package" 2>/dev/null || fail "there is no $package"
for file in host.json handler; do
    [ -f "$file" ] || fail "$package holds no $file"
done

attempt=1
# A released package has no local.settings.json, from which Core Tools would know the runtime.
until func azure functionapp publish "$app" --custom --no-build ${subscription:+--subscription "$subscription"}; do
    [ "$attempt" -lt "$attempts" ] || fail "publishing to $app failed $attempts times"
    attempt=$((attempt + 1))
    printf 'publish.sh: attempt %s of %s begins in %s seconds\n' "$attempt" "$attempts" "$pause" >&2
    sleep "$pause"
done
printf 'published to %s\n' "$app"
