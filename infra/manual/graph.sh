#!/usr/bin/env bash
# What is still done by hand at Microsoft Graph: the subscription with its renewal.
#
#   graph.sh subscribe ACCOUNT    subscribe to the Support User's chats
#   graph.sh renew                renew every subscription of the app: best every hour, at least every 2 days
#   graph.sh list                 show the subscriptions of the app
#   graph.sh unsubscribe          delete every subscription of the app
#
# From the environment: TENANT_ID, GRAPH_CLIENT_ID, SUPPORT_ACCOUNTS (as the handler has it), KEY_VAULT_NAME,
# GRAPH_NOTIFICATION_URL; in sovereign clouds ENTRA_ENDPOINT and GRAPH_ENDPOINT too.
#
# `az` must be logged in as an owner of the app registration who may read secrets of the vault. Each run makes a client secret
# that lives for a day, and removes it at its end. Secrets are handed on in files that only you can read, not as arguments,
# which every user of the machine could see.
set -euo pipefail

entra="${ENTRA_ENDPOINT:-https://login.microsoftonline.com}"
entra="${entra%/}"
graph="${GRAPH_ENDPOINT:-https://graph.microsoft.com}"
graph="${graph%/}"

# Graph's longest life of a subscription to chat messages is 4,320 minutes.
minutes=4300

work=""
key_name=""

fail() {
    printf 'graph.sh: %s\n' "$*" >&2
    exit 1
}

usage() {
    sed -n '4,7s/^#   //p' "$0" >&2
    exit 2
}

clean_up() {
    local key_id
    if [ -n "$key_name" ]; then
        for key_id in $(az ad app credential list --id "$GRAPH_CLIENT_ID" --query "[?displayName=='$key_name'].keyId" --output tsv); do
            az ad app credential delete --id "$GRAPH_CLIENT_ID" --key-id "$key_id" --output none ||
                printf 'graph.sh: remove the client secret %s of the app by hand\n' "$key_name" >&2
        done
    fi
    if [ -n "$work" ]; then rm -rf "$work"; fi
}

# The object id of a Support User, by the account's name.
user_of() {
    local pair
    for pair in ${SUPPORT_ACCOUNTS//,/ }; do
        if [ "${pair%%=*}" = "$1" ]; then
            # What follows `@` is an agent user's agent identity.
            pair="${pair%%@*}"
            printf '%s' "${pair#*=}"
            return
        fi
    done
    fail "SUPPORT_ACCOUNTS holds no account $1"
}

# A client secret for this run.
make_secret() {
    key_name="graph.sh $(openssl rand -hex 8)"
    az ad app credential reset --id "$GRAPH_CLIENT_ID" --append --display-name "$key_name" \
        --end-date "$(jq -nr 'now + 86400 | floor | todate')" --only-show-errors --query password --output tsv |
        tr -d '\n' >"$work/secret"
}

# Posts a form to the token endpoint; the answer lies in the file token.json. A new secret is not known everywhere at once.
ask_for_token() {
    local try
    for try in $(seq 1 24); do
        if curl --silent --show-error --fail-with-body --output "$work/token.json" \
            --data-urlencode "client_id=$GRAPH_CLIENT_ID" --data-urlencode "client_secret@$work/secret" "$@" \
            "$entra/$TENANT_ID/oauth2/v2.0/token" 2>"$work/curl.txt"; then
            return
        fi
        if ! grep -q AADSTS7000215 "$work/token.json" 2>/dev/null; then break; fi
        printf 'The new client secret is not known everywhere yet (try %s) …\n' "$try" >&2
        sleep 5
    done
    cat "$work/curl.txt" >&2
    fail "Entra ID: $(jq -r '.error_description // .' "$work/token.json" 2>/dev/null || true)"
}

# A token of the app itself, as a header in a file.
sign_in_app() {
    make_secret
    ask_for_token --data grant_type=client_credentials --data-urlencode "scope=$graph/.default"
    jq -r '"Authorization: Bearer " + .access_token' "$work/token.json" >"$work/header"
}

# Calls Graph; prints the answer.
call() {
    local method="$1" path="$2"
    shift 2
    if ! curl --silent --show-error --fail-with-body --request "$method" --header "@$work/header" \
        --header 'Content-Type: application/json' --output "$work/answer.json" "$@" "$graph/v1.0$path"; then
        fail "Graph: $(jq -r '.error | "\(.code): \(.message)"' "$work/answer.json" 2>/dev/null || true)"
    fi
    if [ -s "$work/answer.json" ]; then cat "$work/answer.json"; fi
}

list() {
    call GET /subscriptions | jq -r '.value[] | [.id, .expirationDateTime, .resource] | @tsv'
}

subscribe() {
    local account="$1" user
    user="$(user_of "$account")"
    az keyvault secret show --vault-name "$KEY_VAULT_NAME" --name graph-client-state --query value --output tsv |
        tr -d '\n' >"$work/state"
    az keyvault secret show --vault-name "$KEY_VAULT_NAME" --name graph-notification-key --query value --output tsv |
        openssl x509 -outform DER -out "$work/certificate.der"
    openssl base64 -A -in "$work/certificate.der" -out "$work/certificate"
    sign_in_app
    # The id by which the handler finds the certificate's key: SHA-256 of the certificate.
    jq -n --arg url "$GRAPH_NOTIFICATION_URL" --arg resource "/users/$user/chats/getAllMessages" --arg account "$account" \
        --argjson minutes "$minutes" --rawfile state "$work/state" --rawfile certificate "$work/certificate" \
        --arg id "$(openssl dgst -sha256 -r "$work/certificate.der" | cut -d' ' -f1)" \
        '{
            changeType: "created,updated,deleted",
            notificationUrl: $url,
            lifecycleNotificationUrl: $url,
            resource: $resource,
            expirationDateTime: (now + $minutes * 60 | floor | todate),
            clientState: ($account + "." + $state),
            includeResourceData: true,
            encryptionCertificate: $certificate,
            encryptionCertificateId: $id
        }' >"$work/subscription.json"
    call POST /subscriptions --data "@$work/subscription.json" |
        jq -r '"subscribed \(.id) until \(.expirationDateTime)"'
}

each_subscription() {
    list | cut -f1 >"$work/ids"
    [ -s "$work/ids" ] || fail "the app has no subscription: graph.sh subscribe ACCOUNT"
}

renew() {
    local id
    sign_in_app
    each_subscription
    jq -n --argjson minutes "$minutes" '{expirationDateTime: (now + $minutes * 60 | floor | todate)}' >"$work/renewal.json"
    while read -r id; do
        call PATCH "/subscriptions/$id" --data "@$work/renewal.json" | jq -r '"renewed \(.id) until \(.expirationDateTime)"'
    done <"$work/ids"
}

unsubscribe() {
    local id
    sign_in_app
    each_subscription
    while read -r id; do
        call DELETE "/subscriptions/$id"
        printf 'deleted %s\n' "$id"
    done <"$work/ids"
}

[ $# -ge 1 ] || usage
for name in TENANT_ID GRAPH_CLIENT_ID SUPPORT_ACCOUNTS KEY_VAULT_NAME GRAPH_NOTIFICATION_URL; do
    [ -n "${!name:-}" ] || fail "set $name (DEPLOY.md tells to what)"
done
for tool in az curl jq openssl; do
    command -v "$tool" >/dev/null || fail "$tool is needed"
done

umask 077
work="$(mktemp -d)"
trap clean_up EXIT

case "$1 $#" in
    "subscribe 2") subscribe "$2" ;;
    "renew 1") renew ;;
    "list 1") sign_in_app && list ;;
    "unsubscribe 1") unsubscribe ;;
    *) usage ;;
esac
