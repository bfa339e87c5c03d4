#!/usr/bin/env bash
# What is still done by hand at Microsoft Graph: the Support User's sign-in, and the subscription with its renewal.
#
#   graph.sh sign-in ACCOUNT      sign the Support User in and store the refresh token
#   graph.sh subscribe ACCOUNT    subscribe to the Support User's chats
#   graph.sh renew                renew every subscription of the app: best every hour, at least every 2 days
#   graph.sh list                 show the subscriptions of the app
#   graph.sh unsubscribe          delete every subscription of the app
#
# From the environment: TENANT_ID, GRAPH_CLIENT_ID, SUPPORT_ACCOUNTS (`name=object id`, separated by commas), KEY_VAULT_NAME,
# GRAPH_NOTIFICATION_URL; in sovereign clouds ENTRA_ENDPOINT and GRAPH_ENDPOINT too.
#
# `az` must be logged in as an owner of the app registration who may set secrets in the vault. Each run makes a client secret
# that lives for a day, and removes it at its end. Secrets are handed on in files that only you can read, not as arguments,
# which every user of the machine could see.
set -euo pipefail

entra="${ENTRA_ENDPOINT:-https://login.microsoftonline.com}"
entra="${entra%/}"
graph="${GRAPH_ENDPOINT:-https://graph.microsoft.com}"
graph="${graph%/}"

# Graph's longest life of a subscription to chat messages is 4,320 minutes.
minutes=4300
# A page that need not exist: the answer is read off the browser's address bar.
redirect=http://localhost

work=""
key_name=""

fail() {
    printf 'graph.sh: %s\n' "$*" >&2
    exit 1
}

usage() {
    sed -n '4,8s/^#   //p' "$0" >&2
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

sign_in() {
    local account="$1" user verifier challenge state scope address code given signed_in
    user="$(user_of "$account")"
    verifier="$(openssl rand -base64 60 | tr -d '\n=' | tr '/+' '_-')"
    challenge="$(printf '%s' "$verifier" | openssl dgst -sha256 -binary | openssl base64 -A | tr -d '=' | tr '/+' '_-')"
    state="$(openssl rand -hex 16)"
    scope="openid profile offline_access $graph/Chat.ReadWrite $graph/ChatMessage.Send $graph/Files.Read.All"
    scope="$scope $graph/CrossTenantInformation.ReadBasic.All $graph/User.ReadBasic.All"
    printf 'Open this address in a private window and sign in as the Support User "%s":\n\n' "$account"
    jq -nr --arg base "$entra/$TENANT_ID/oauth2/v2.0/authorize" --arg client "$GRAPH_CLIENT_ID" --arg redirect "$redirect" \
        --arg scope "$scope" --arg state "$state" --arg challenge "$challenge" \
        '$base + "?response_type=code&response_mode=query&prompt=login&code_challenge_method=S256"
            + "&client_id=" + ($client | @uri) + "&redirect_uri=" + ($redirect | @uri) + "&scope=" + ($scope | @uri)
            + "&state=" + $state + "&code_challenge=" + $challenge'
    printf '\nThe browser ends at a page of localhost that cannot be shown. Copy its whole address and paste it here:\n'
    # With readline, because a terminal cuts a longer line.
    IFS= read -r -e address
    given="$(printf '%s' "$address" | sed -n 's/.*[?&]state=\([^&#]*\).*/\1/p')"
    [ "$given" = "$state" ] || fail "this address does not belong to this sign-in"
    printf '%s' "$address" | sed -n 's/.*[?&]code=\([^&#]*\).*/\1/p' | tr -d '\n' >"$work/code"
    [ -s "$work/code" ] || fail "no code in it: $(printf '%s' "$address" | sed -n 's/.*[?&]error_description=\([^&#]*\).*/\1/p')"
    code="code=$(cat "$work/code")"
    printf '%s' "$code" >"$work/code"

    make_secret
    printf '%s' "$verifier" >"$work/verifier"
    ask_for_token --data grant_type=authorization_code --data-urlencode "redirect_uri=$redirect" \
        --data "@$work/code" --data-urlencode "code_verifier@$work/verifier"
    signed_in="$(jq -r '.id_token | split(".")[1] | gsub("-"; "+") | gsub("_"; "/") | @base64d | fromjson | .oid' "$work/token.json")"
    [ "$signed_in" = "$user" ] || fail "somebody else signed in: $signed_in instead of $user"
    jq -j '.refresh_token // empty' "$work/token.json" >"$work/refresh-token"
    [ -s "$work/refresh-token" ] || fail "Entra ID gave no refresh token"
    az keyvault secret set --vault-name "$KEY_VAULT_NAME" --name "graph-refresh-token-$account" \
        --file "$work/refresh-token" --output none
    printf 'stored graph-refresh-token-%s\n' "$account"
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
    "sign-in 2") sign_in "$2" ;;
    "subscribe 2") subscribe "$2" ;;
    "renew 1") renew ;;
    "list 1") sign_in_app && list ;;
    "unsubscribe 1") unsubscribe ;;
    *) usage ;;
esac
