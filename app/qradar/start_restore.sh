#!/bin/bash
# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
#
# Safeguarded Restore: what a QRadar rule runs as its custom action. It tells the app on the console
# that the rule has fired. Script version @VERSION@, sha256 @SHA256@
#
# It runs in QRadar's jail (docs/qradar 5.2), hence: bash 4.1 and curl 7.29 only, no here-documents
# (they need a temporary folder), no process substitution (it needs /dev/fd), no name server, no fixed
# file names (several runs share one home folder). Don't edit: `python3 -m app.configure script` makes it.

SCRIPT_VERSION='@VERSION@'
CONSOLE='@CONSOLE@'
CONSOLE_PORT='@CONSOLE_PORT@'
CONSOLE_ADDRESS='@CONSOLE_ADDRESS@'
CA_CERTIFICATES='@CA_CERTIFICATES@'

# <parameters>
console=${1-}
path=${2-}
sec=${3-}
token=${4-}
fields=(mapping event_time source_ip destination_ip username log_source_id qid magnitude)
values=("${5-}" "${6-}" "${7-}" "${8-}" "${9-}" "${10-}" "${11-}" "${12-}")
# </parameters>

export LC_ALL=C # lengths and cuts are in bytes
SECONDS=0       # since the start of this run
umask 077

say() { printf '%s\n' "${1//[[:cntrl:]]/ }"; }

fail() {
  say "$1"
  exit 1
}

# Sets $request_id. All tries carry the same one, so that the app takes them for one trigger.
make_request_id() {
  request_id=$(od -An -N16 -tx1 /dev/urandom 2>/dev/null)
  request_id=${request_id//[!0-9a-f]/}
  [[ ${#request_id} -eq 32 ]] ||
    request_id="r$$-$RANDOM$RANDOM$RANDOM$RANDOM-$(date +%s%N 2>/dev/null)"
}

# Sets $ca_file: the console's issuers in a file of this run's own, for curl takes them from a file only.
make_ca_file() {
  local folder
  for folder in "${HOME-}" /home/customactionuser "${TMPDIR-}"; do
    [[ -n $folder && -d $folder ]] || continue
    ca_file=$(mktemp "$folder/safeguarded-restore.XXXXXXXXXX" 2>/dev/null) ||
      ca_file=$folder/safeguarded-restore.$request_id
    printf '%s\n' "$CA_CERTIFICATES" 2>/dev/null >"$ca_file" && return 0
    rm -f "$ca_file" 2>/dev/null
  done
  ca_file=
  return 1
}

# Appends one option, name and value, to $config, quoted as curl's configuration syntax wants it.
option() {
  local quoted='' char i
  for ((i = 0; i < ${#2}; i++)); do
    char=${2:i:1}
    case $char in
      \\) quoted+=\\\\ ;;
      \") quoted+=\\\" ;;
      $'\n') quoted+=\\n ;;
      $'\r') quoted+=\\r ;;
      $'\t') quoted+=\\t ;;
      $'\v') quoted+=\\v ;;
      *) quoted+=$char ;;
    esac
  done
  config+="$1 = \"$quoted\""$'\n'
}

# Appends one field of the form, name and value, unless the value is empty (or "-", which stands for it).
# At most 512 bytes are sent; a UTF-8 character that the cut goes through is left out.
field() {
  local value=$2 after=${2:512:1}
  [[ -n $value && $value != - ]] || return 0
  value=${value:0:512}
  if [[ $after == [$'\200'-$'\277'] ]]; then
    while [[ $value == *[$'\200'-$'\277'] ]]; do value=${value%?}; done
    value=${value%?}
  fi
  option data-urlencode "$1=$value" # the "=" keeps curl from reading a file when the value begins with "@"
}

# Splits the parameter console, HOST[:PORT][@ADDRESS], into $host, $port and $address. The address is the
# one the script was made for, unless another one or "dns" (ask the name server) is given.
read_console() {
  local pattern='^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$'
  [[ -n $console && $console != - ]] || console=$CONSOLE:$CONSOLE_PORT
  address=
  if [[ $console == *@* ]]; then
    address=${console##*@} console=${console%@*}
  fi
  host=$console port=443
  case $console in
    \[*\]:*) host=${console%:*} port=${console##*:} ;;
    \[*\]) ;;
    *:*:*) host="[$console]" ;;
    *:*) host=${console%:*} port=${console##*:} ;;
  esac
  [[ $host =~ $pattern && $port =~ ^[0-9]+$ ]] ||
    fail "The parameter console must be HOST[:PORT], but is: ${console:0:80}"
  [[ -n $address || $host != "$CONSOLE" ]] || address=$CONSOLE_ADDRESS
  [[ $address != dns && $host != \[* ]] || address=
}

# Sets $config to what curl reads on its standard input, so that no secret is on a command line.
make_config() {
  local i
  config=$'silent\nshow-error\ngloboff\n'
  option proto =https
  option noproxy '*'
  option connect-timeout 3
  option cacert "$ca_file"
  [[ -z $address ]] || option resolve "$host:$port:$address"
  option url "https://$host:$port$path"
  option user-agent "safeguarded-restore-script/$SCRIPT_VERSION"
  option header "SEC: $sec"
  option header 'Expect:' # else curl may wait a second before it sends the form
  option header 'Accept: application/json'
  option write-out $'\nsent=%{size_request} http=%{http_code}'
  option data-urlencode "token=$token"
  option data-urlencode "request_id=$request_id"
  field rule_id "${RULE_ID-}"
  field rule_name "${RULE_NAME-}"
  for i in "${!fields[@]}"; do
    field "${fields[i]}" "${values[i]}"
  done
}

# One try. Sets $code (curl's exit code), $http (000: no answer) and $body (or curl's own words), and
# $lost to yes if a request went out and nobody can say whether the app took it: a gateway's 502 or 504 and
# an error 500 say as little about that as no answer. $perhaps stays set once one was lost.
send() {
  local answer all=$config limit=$((9 - SECONDS)) pattern='^(.*)sent=([0-9]+) http=([0-9][0-9][0-9])'
  [[ $limit -le 4 ]] || limit=4
  [[ $limit -ge 2 ]] || limit=2
  option max-time $limit
  answer=$(printf '%s' "$config" | curl -q -K - 2>&1)
  code=$?
  config=$all sent=1 http=000 body=$answer lost=
  if [[ $answer =~ $pattern ]]; then
    body=${BASH_REMATCH[1]} sent=${BASH_REMATCH[2]} http=${BASH_REMATCH[3]}
  fi
  body=${body:0:8192}
  case $http/$code in
    000/28 | 000/52 | 000/55 | 000/56 | 000/92) [[ $sent -eq 0 ]] || lost=yes ;;
    500/* | 502/* | 504/*) lost=yes ;;
  esac
  perhaps=$perhaps$lost
}

# Tries again while it could go better than before, for 10 seconds in all: how long QRadar lets a custom
# action run is not documented. So what fires while the app restarts gets through if that takes less than
# 7 seconds. Nothing goes on in the background: that would outlive what QRadar counts and may end, and
# a storm would leave hundreds of processes, each with the tokens, on the host that watches for attacks.
# What is lost all the same is found by the offense watch.
send_until_answered() {
  local pause
  for pause in 1 1 2 2 1 0; do
    send
    case $http in
      404) ! from_app || return ;; # the console has no app there while it is made anew
      [234]??) return ;;
    esac
    case $code in
      1 | 2 | 3 | 4 | 26 | 51 | 58 | 59 | 60 | 77 | 83 | 126 | 127) return ;;
    esac
    [[ $pause -gt 0 && $((SECONDS + pause)) -le 7 ]] || return
    sleep "$pause"
  done
}

from_app() { [[ $body =~ \"error\"[[:space:]]*:[[:space:]]*\{ ]]; }

# Sets $text to the string that $body has under a name, or to nothing.
text_of() {
  local pattern="\"$1\"[[:space:]]*:[[:space:]]*\"(([^\"\\\\]|\\\\.)*)\""
  text=
  [[ ! $body =~ $pattern ]] || text=${BASH_REMATCH[1]}
  text=${text//\\\"/\'}
  text=${text:0:400}
}

# Sets $result to what came of it, in one line: returns 0 for any 2xx, 1 if nothing was accepted, 2 if
# that is not known. QRadar is not known to tell 1 from 2; whoever looks at a log may.
judge() {
  local outcome run='' pattern='"run_id"[[:space:]]*:[[:space:]]*([0-9]+)' cause
  case $http in
    2??)
      [[ ! $body =~ $pattern ]] || run=" run ${BASH_REMATCH[1]}."
      text_of outcome
      outcome=${text:-answered}
      text_of message
      result="$outcome:$run ${text:-HTTP $http}"
      return 0
      ;;
    000) explain_curl ;;
    *) explain_http ;;
  esac
  result="not accepted: $cause"
  [[ -n $perhaps ]] || return 1
  result="no answer; it may have been accepted, see the app's Runs: $cause"
  [[ -n $lost ]] || result="the last try was not accepted, an earlier one may have been, see the app's Runs: $cause"
  return 2
}

explain_http() {
  local from=console
  ! from_app || from=app
  text_of message
  case $http/$from in
    3??/*) cause='the console redirects the request; is the token of the authorized service valid?' ;;
    401/app) cause='the app does not know the trigger token; is it revoked, or an older one?' ;;
    401/*) cause='the console does not accept the token of the authorized service; has it expired, has Deploy Changes been run?' ;;
    403/*) cause='access refused; does the role of the authorized service include Offenses?' ;;
    404/*) cause="nothing at ${path:0:120}; is the app installed and running?" ;;
    413/*) cause='the request is too large' ;;
    429/*) cause='too many requests with a token that is not valid' ;;
    502/* | 504/*) cause='the console has no answer from the app; is it running?' ;;
    503/*) cause='the app cannot take triggers now; its pages say why' ;;
    *) cause='an answer that was not expected' ;;
  esac
  cause="HTTP $http: $cause${text:+ (${text:0:300})}"
}

explain_curl() {
  local pattern='curl: \([0-9]+\) ([^'$'\n'']*)'
  case $code in
    6) cause="the name $host cannot be resolved here; write the parameter console as HOST@ADDRESS" ;;
    7) cause="no connection to $host:$port${address:+ at $address}; does a firewall block it?" ;;
    28) cause="no answer from $host:$port${address:+ at $address} in time" ;;
    35) cause="the TLS handshake with $host:$port failed; after a new console certificate, make this script anew" ;;
    51) cause="the certificate of $host:$port was made for another name" ;;
    60) cause="the certificate of $host:$port is not trusted; after a new console certificate, make this script anew" ;;
    77) cause='curl cannot read the CA certificates that this script wrote' ;;
    52 | 55 | 56) cause="the connection to $host:$port broke off before the answer" ;;
    126 | 127) cause='there is no curl on this host' ;;
    *) cause="curl failed with exit code $code" ;;
  esac
  [[ ! $body =~ $pattern ]] || cause="$cause (curl $code: ${BASH_REMATCH[1]:0:300})"
}

# Without RULE_ID this is "Test Execution" on QRadar's page: say more.
diagnose() {
  local version tls='not reached'
  version=$(curl -q --version 2>/dev/null)
  case $code in
    35 | 51 | 58 | 59 | 60 | 77 | 83) tls="failed, curl's exit code $code" ;;
    *) [[ $http == 000 ]] || tls='certificate verified' ;;
  esac
  say "No RULE_ID: this run is a test of the connection."
  say "script $SCRIPT_VERSION, bash $BASH_VERSION, ${version%%$'\n'*}"
  say "console $host:$port at ${address:-an address from the name server}, path $path"
  say "TLS: $tls. HTTP: $http. curl's exit code: $code"
}

read_console
[[ $path == /* ]] || fail "The parameter path must begin with /, but is: ${path:0:80}"
[[ -n $sec && $sec != - && $sec != *[[:cntrl:]]* ]] ||
  fail 'The parameter sec must be the token of the authorized service, but is empty or has odd characters.'
[[ -n $token && $token != - ]] || fail 'The parameter token must be a trigger token, but is empty.'
ca_file=
perhaps=
trap '[[ -z $ca_file ]] || rm -f "$ca_file"' EXIT
trap 'exit 1' HUP INT TERM
make_request_id
make_ca_file || fail 'Nothing can be written to the home folder; curl needs a file with the CA certificates there.'
make_config
send_until_answered
judge
status=$?
[[ -n ${RULE_ID-} ]] || diagnose
say "$result"
exit "$status"
