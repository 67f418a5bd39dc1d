#!/usr/bin/env bash
# The steps of action.yml, one subcommand each. `prepare` checks every input and decides what is done; the steps after
# it see only what it passes on, so no input is read twice. The exit code that counts is kept by `run` and given by
# `finish`: nothing between them can change it.
#
# For bash 3.2 (macOS) and newer. Started as `bash -p`: functions, options and start files from the environment do not
# count here. Deliberately absent: JSON beyond one entry a line, words split out of a string, `eval`, a verdict.
set -CeEuo pipefail
IFS=$'\n\t'

# --- Talk: workflow commands, escaped -------------------------------------------------------------------------------

# escape TEXT: REPLY is the text as the data of a workflow command.
escape() {
    REPLY=${1//\%/%25}
    REPLY=${REPLY//$'\r'/%0D}
    REPLY=${REPLY//$'\n'/%0A}
}

# tell LEVEL TITLE TEXT: an annotation. TITLE is one of ours or holds a checked name.
tell() {
    local title
    escape "$2"
    title=${REPLY//:/%3A}
    escape "$3"
    printf '::%s title=%s::%s\n' "$1" "${title//,/%2C}" "${REPLY}"
}

# stop CODE TITLE TEXT: an error, and the end of this step.
stop() {
    tell error "$2" "$3"
    exit "$1"
}

# refuse INPUT TEXT: wrong usage of one input.
refuse() {
    stop 2 "input $1" "input \`$1\`: $2"
}

# output NAME VALUE: an output of this step; the value may have several lines.
output() {
    local delimiter=end_of_value
    while [[ "$2" == *"${delimiter}"* ]]; do
        delimiter+=_${RANDOM}
    done
    printf '%s<<%s\n%s\n%s\n' "$1" "${delimiter}" "$2" "${delimiter}" >>"${GITHUB_OUTPUT:?}"
}

# split TEXT: ITEMS are its lines, without empty ones.
split() {
    local rest=$1 line
    ITEMS=()
    while [[ -n "${rest}" ]]; do
        line=${rest%%$'\n'*}
        rest=${rest#"${line}"}
        rest=${rest#$'\n'}
        line=${line%$'\r'}
        if [[ -n "${line}" ]]; then
            ITEMS+=("${line}")
        fi
    done
}

# join WORD…: REPLY is the words, one a line.
join() {
    local IFS=$'\n'
    REPLY="$*"
}

# --- Inputs -----------------------------------------------------------------------------------------------------------

# one_of WORD WORD…: whether the first is among the others.
one_of() {
    local word=$1 other
    shift
    for other in "$@"; do
        if [[ "${word}" == "${other}" ]]; then
            return 0
        fi
    done
    return 1
}

# choice INPUT VALUE WORD…: one of these words.
choice() {
    local input=$1 value=$2 known
    shift 2
    if one_of "${value}" "$@"; then
        return 0
    fi
    printf -v known ', %s' "$@"
    refuse "${input}" "\`${value}\` is not one of ${known#, }"
}

# single INPUT VALUE: one line without control characters, so that it can be passed on a line of its own.
single() {
    if [[ "$2" == *[[:cntrl:]]* ]]; then
        refuse "$1" "must be one line without control characters, not \`$2\`"
    fi
}

# listed INPUT TEXT: ITEMS are its lines, none with control characters.
listed() {
    local input=$1 item
    split "$2"
    for item in ${ITEMS[@]+"${ITEMS[@]}"}; do
        single "${input}" "${item}"
    done
}

# matches INPUT VALUE PATTERN MEANING: empty, or of this form.
matches() {
    if [[ -n "$2" && ! "$2" =~ $3 ]]; then
        refuse "$1" "\`$2\` is not $4"
    fi
}

# belongs INPUT VALUE COMMAND…: empty, or used with one of these commands.
belongs() {
    local input=$1 value=$2 known
    shift 2
    if [[ -z "${value}" ]] || one_of "${command}" "$@"; then
        return 0
    fi
    printf -v known ', %s' "$@"
    refuse "${input}" "means nothing to \`command: ${command}\`; it belongs to ${known#, }"
}

# Which commands there are: those that start checks, and all.
starting=(full-check validate phase-check ml-models data-check)
reading=(inspect convert status trend history report config explain)
commands=("${starting[@]}" gate publish collect ci audit "${reading[@]}" none)

check_inputs() {
    local name='^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' staged=()
    command=${MGMT_INPUT_COMMAND?}
    choice command "${command}" "${commands[@]}"
    if one_of "${command}" "${starting[@]}"; then
        starts=true
    fi
    stage=${MGMT_INPUT_STAGE?}
    if [[ -z "${stage}" ]]; then
        staged=(gate)
    fi

    single config "${MGMT_INPUT_CONFIG?}"
    single report-dir "${MGMT_INPUT_REPORT_DIR?}"
    single working-directory "${MGMT_INPUT_WORKING_DIRECTORY?}"
    single gate "${MGMT_INPUT_GATE?}"
    single stage "${stage}"
    single environment "${MGMT_INPUT_ENVIRONMENT?}"
    single badge "${MGMT_INPUT_BADGE?}"
    listed args "${MGMT_INPUT_ARGS?}"
    named_apart
    listed evidence "${MGMT_INPUT_EVIDENCE?}"

    matches sha "${MGMT_INPUT_SHA?}" '^[0-9a-f]{40}$' "a commit's full SHA: 40 digits 0-9a-f"
    matches run-id "${MGMT_INPUT_RUN_ID?}" '^[0-9]{1,19}$' "the number of a workflow run"
    matches shard "${MGMT_INPUT_SHARD?}" "${name}" "a name of letters, digits, dot, dash and underscore"
    matches key "${MGMT_INPUT_KEY?}" '^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$' \
        "a name of letters, digits, dot, dash, slash and underscore"
    matches expect "${MGMT_INPUT_EXPECT?}" '^[A-Za-z0-9._-]+(,[A-Za-z0-9._-]+)*$' \
        "a number, nor names with commas between"
    matches wait "${MGMT_INPUT_WAIT?}" '^[0-9]{1,6} ?[a-z]{1,8}( [0-9]{1,6} ?[a-z]{1,8})*$' "a duration such as 20m"
    matches retention-days "${MGMT_INPUT_RETENTION_DAYS?}" '^([0-9]|[1-9][0-9]|[1-3][0-9][0-9]|400)$' \
        "a number of days from 0 (the repository's own setting) to 400"
    if [[ -z "${MGMT_INPUT_RETENTION_DAYS}" ]]; then
        refuse retention-days "must be a number of days from 0 (the repository's own setting) to 400"
    fi

    choice comment "${MGMT_INPUT_COMMENT?}" always changes failure never
    choice check-run "${MGMT_INPUT_CHECK_RUN?}" true false
    choice summary "${MGMT_INPUT_SUMMARY?}" true false
    choice upload "${MGMT_INPUT_UPLOAD?}" true false
    choice baseline "${MGMT_INPUT_BASELINE?}" true false
    choice fallback "${MGMT_INPUT_FALLBACK?}" cargo none
    if [[ -n "${MGMT_INPUT_ANSWER?}" ]]; then
        choice answer "${MGMT_INPUT_ANSWER}" status rule
    fi

    belongs gate "${MGMT_INPUT_GATE}" "${starting[@]}" ${staged[@]+"${staged[@]}"} publish
    belongs stage "${stage}" gate
    belongs sha "${MGMT_INPUT_SHA}" gate ci
    belongs wait "${MGMT_INPUT_WAIT}" gate ci
    belongs answer "${MGMT_INPUT_ANSWER}" gate
    belongs environment "${MGMT_INPUT_ENVIRONMENT}" gate
    belongs run-id "${MGMT_INPUT_RUN_ID}" gate ci publish
    belongs expect "${MGMT_INPUT_EXPECT}" ci publish
    belongs evidence "${MGMT_INPUT_EVIDENCE}" "${starting[@]}" ${staged[@]+"${staged[@]}"} collect inspect convert
    belongs shard "${MGMT_INPUT_SHARD}" "${starting[@]}" ${staged[@]+"${staged[@]}"} collect publish
    belongs badge "${MGMT_INPUT_BADGE}" "${starting[@]}" ${staged[@]+"${staged[@]}"} publish
    belongs key "${MGMT_INPUT_KEY}" "${starting[@]}" ${staged[@]+"${staged[@]}"} publish
    if [[ "${command}" == gate && -z "${stage}" ]]; then
        check_gate_of_files
    fi
    if [[ "${starts}" == true && "${GITHUB_EVENT_NAME:-}" == pull_request_target ]]; then
        refuse command "\`${command}\` runs what the pull request says, and pull_request_target would give it this \
repository's secrets; use pull_request, and publish for forks from a workflow_run job"
    fi

    folder=${MGMT_INPUT_WORKING_DIRECTORY:-.}
    if [[ "${folder}" != /* && ! "${folder}" =~ ^[A-Za-z]: ]]; then
        folder=./${folder}
    fi
    if [[ ! -d "${folder}" ]]; then
        refuse working-directory \
            "there is no folder \`${MGMT_INPUT_WORKING_DIRECTORY}\`; is the repository checked out?"
    fi
}

# named_apart: no argument in ITEMS is one that other steps have to know as well.
named_apart() {
    local item name
    for item in ${ITEMS[@]+"${ITEMS[@]}"}; do
        for name in config gate report-dir; do
            if [[ "${item}" == "--${name}" || "${item}" == "--${name}="* ]]; then
                refuse args "\`--${name}\` is the input \`${name}\`: what is published is judged by it as well"
            fi
        done
    done
}

# A gate over report files needs some, and nothing that is said about a deploy.
check_gate_of_files() {
    local input
    if [[ -z "${MGMT_INPUT_EVIDENCE}" ]]; then
        refuse evidence "\`command: gate\` judges report files, one a line; or name a deploy's \`stage\`"
    fi
    for input in sha wait answer environment run-id; do
        case ${input} in
            sha) [[ -z "${MGMT_INPUT_SHA}" ]] ;;
            wait) [[ -z "${MGMT_INPUT_WAIT}" ]] ;;
            answer) [[ -z "${MGMT_INPUT_ANSWER}" ]] ;;
            environment) [[ -z "${MGMT_INPUT_ENVIRONMENT}" ]] ;;
            *) [[ -z "${MGMT_INPUT_RUN_ID}" ]] ;;
        esac || refuse "${input}" "means something only together with \`stage\`"
    done
}

# --- What is run ------------------------------------------------------------------------------------------------------

# option NAME VALUE: adds `--NAME=VALUE` to OPTIONS if there is a value.
option() {
    if [[ -n "$2" ]]; then
        OPTIONS+=("--$1=$2")
    fi
}

# Where a report is published, after `publish`.
publishing_options() {
    local targets=outputs has_pull=false
    # `publish` may tell of another run; the job of any other command is a pull request's or nobody's.
    if [[ "${command}" == publish || "${GITHUB_EVENT_NAME:-}" == pull_request* ]]; then
        has_pull=true
    fi
    if [[ "${has_pull}" == true && "${MGMT_INPUT_COMMENT}" != never ]]; then
        targets+=,comment
        option when "${MGMT_INPUT_COMMENT}"
    fi
    if [[ "${MGMT_INPUT_CHECK_RUN}" == true ]]; then
        targets+=,check
    fi
    if [[ "${MGMT_INPUT_SUMMARY}" == true ]]; then
        targets+=,summary
    fi
    if [[ -n "${MGMT_INPUT_BADGE}" ]]; then
        targets+=,badge
    fi
    option to "${targets}"
    option badge "${MGMT_INPUT_BADGE}"
    option key "${MGMT_INPUT_KEY}"
    option gate "${MGMT_INPUT_GATE}"
    option config "${MGMT_INPUT_CONFIG}"
}

# evidence_options NAME: one `--NAME=…` a line of the input.
evidence_options() {
    local name=$1 item
    split "${MGMT_INPUT_EVIDENCE}"
    for item in ${ITEMS[@]+"${ITEMS[@]}"}; do
        OPTIONS+=("--${name}=${item}")
    done
}

# The commit whose deploy is gated.
deployed_commit() {
    REPLY=${MGMT_INPUT_SHA}
    if [[ -n "${REPLY}" ]]; then
        return 0
    fi
    case ${GITHUB_EVENT_NAME:-} in
        # Here GITHUB_SHA is the newest commit of the default branch or a trial merge, whatever was built.
        workflow_run | pull_request | pull_request_target)
            refuse sha "must be given on ${GITHUB_EVENT_NAME}: the event's own commit is not the one that was built"
            ;;
        *) REPLY=${GITHUB_SHA:?} ;;
    esac
}

# The command's own arguments, one a line.
command_arguments() {
    OPTIONS=()
    split "${MGMT_INPUT_ARGS}"
    if [[ "${command}" == none ]]; then
        OPTIONS=(--version)
    elif [[ "${command}" == publish ]]; then
        OPTIONS=(publish ${ITEMS[@]+"${ITEMS[@]}"})
        option run "${MGMT_INPUT_RUN_ID}"
        option expect "${MGMT_INPUT_EXPECT}"
        option shard "${MGMT_INPUT_SHARD}"
        publishing_options
    else
        OPTIONS=("${command}" ${ITEMS[@]+"${ITEMS[@]}"})
        option config "${MGMT_INPUT_CONFIG}"
        option report-dir "${MGMT_INPUT_REPORT_DIR}"
        option gate "${MGMT_INPUT_GATE}"
        option stage "${stage}"
        if [[ -n "${stage}" ]]; then
            deployed_commit
            option sha "${REPLY}"
            if [[ "${MGMT_INPUT_SUMMARY}" == true ]]; then
                option to summary,outputs
            else
                option to outputs
            fi
        else
            option sha "${MGMT_INPUT_SHA}"
        fi
        option wait "${MGMT_INPUT_WAIT}"
        option answer "${MGMT_INPUT_ANSWER}"
        option environment "${MGMT_INPUT_ENVIRONMENT}"
        option run "${MGMT_INPUT_RUN_ID}"
        option expect "${MGMT_INPUT_EXPECT}"
        case ${command} in
            gate) evidence_options evidence ;;
            audit)
                # Only what is published is written anywhere.
                if [[ "${MGMT_INPUT_SUMMARY}" == false ]] && one_of --publish ${ITEMS[@]+"${ITEMS[@]}"}; then
                    OPTIONS+=(--without-summary)
                fi
                ;;
            collect)
                option out "${bundle}"
                option shard "${MGMT_INPUT_SHARD}"
                evidence_options evidence
                ;;
            inspect | convert)
                split "${MGMT_INPUT_EVIDENCE}"
                if [[ -n "${MGMT_INPUT_EVIDENCE}" ]]; then
                    OPTIONS+=(-- ${ITEMS[@]+"${ITEMS[@]}"})
                fi
                ;;
            *) ;;
        esac
    fi
    join "${OPTIONS[@]}"
}

# What the steps after this one do, as outputs.
pass_on() {
    local judges=false default_branch=${MGMT_DEFAULT_BRANCH?} artifact record=false since
    if [[ "${starts}" == true || ("${command}" == gate && -z "${stage}") ]]; then
        judges=true
    fi
    command_arguments
    output arguments "${REPLY}"
    # The token reaches a command that asks GitHub, and never one that starts checks or reads report files.
    if [[ -n "${stage}" ]] || one_of "${command}" publish ci audit; then
        output asks-github true
    fi

    if [[ "${judges}" == true ]]; then
        OPTIONS=(collect)
        option out "${bundle}"
        option shard "${MGMT_INPUT_SHARD}"
        option config "${MGMT_INPUT_CONFIG}"
        if [[ "${starts}" == true ]]; then
            # Checks that could not start leave no run: one from a history that was kept is not this job's.
            since=$(date -u +%Y-%m-%dT%H:%M:%SZ)
            option since "${since}"
            evidence_options add-evidence
        else
            evidence_options evidence
        fi
        join "${OPTIONS[@]}"
        output collect-arguments "${REPLY}"

        OPTIONS=(publish)
        option bundle "${bundle}"
        publishing_options
        join "${OPTIONS[@]}"
        output publish-arguments "${REPLY}"

        # Also without a record: the base branch's policy judges a pull request, and the command holds no token.
        if [[ "${GITHUB_EVENT_NAME:-}" == pull_request* ]]; then
            OPTIONS=(ci baseline)
            if [[ "${MGMT_INPUT_BASELINE}" == true ]]; then
                option shard "${MGMT_INPUT_SHARD}"
            else
                OPTIONS+=(--without-record)
            fi
            option config "${MGMT_INPUT_CONFIG}"
            join "${OPTIONS[@]}"
            output baseline-arguments "${REPLY}"
        fi
        if [[ "${GITHUB_EVENT_NAME:-}" == push && "${GITHUB_REF:-}" == "refs/heads/${default_branch}" ]]; then
            record=true
        fi
    fi
    artifact=mgmt-evidence${MGMT_INPUT_SHARD:+-${MGMT_INPUT_SHARD}}-attempt${GITHUB_RUN_ATTEMPT:-1}
    output bundle "${bundle}"
    output artifact "${artifact}"
    output upload "${MGMT_INPUT_UPLOAD}"
    output record "${record}"
    # A shard's record is only a part: the next pull request compares the same part with it.
    output record-artifact "mgmt-record${MGMT_INPUT_SHARD:+-${MGMT_INPUT_SHARD}}"
    output retention-days "${MGMT_INPUT_RETENTION_DAYS}"
    output folder "${folder}"
}

# --- The binary -------------------------------------------------------------------------------------------------------

# What the action carries: its version, and the sum of the archive for TARGET, if there is a release.
read_manifest() {
    local line sums=false entry='^ *"([A-Za-z0-9_.-]+)": "([^"]*)",?$'
    version='' sum=''
    while IFS= read -r line || [[ -n "${line}" ]]; do
        line=${line%$'\r'}
        if [[ "${line}" =~ ^\ *\"archives\": ]]; then
            sums=true
        elif [[ "${line}" =~ ${entry} ]]; then
            if [[ "${sums}" == false && "${BASH_REMATCH[1]}" == version ]]; then
                version=${BASH_REMATCH[2]}
            elif [[ "${sums}" == true && "${BASH_REMATCH[1]}" == "${target}" ]]; then
                sum=${BASH_REMATCH[2]}
            fi
        fi
    done <"${here}/manifest.json"
    if [[ ! "${version}" =~ ^[0-9]+\.[0-9]+\.[0-9]+ ]] || [[ -n "${sum}" && ! "${sum}" =~ ^[0-9a-f]{64}$ ]]; then
        stop 2 "manifest" "the action's own manifest.json is damaged; pin the action to a released commit"
    fi
}

# The platform: TARGET as Rust calls it, PLATFORM as in the tool cache, PROGRAM with its ending.
read_platform() {
    local arch=${RUNNER_ARCH:-}
    program=mgmt
    case ${arch} in
        X64 | ARM64) ;;
        *)
            arch=$(uname -m)
            case ${arch} in
                x86_64 | amd64) arch=X64 ;;
                aarch64 | arm64) arch=ARM64 ;;
                *) ;;
            esac
            ;;
    esac
    case ${arch} in
        X64) platform=x64 target=x86_64 ;;
        ARM64) platform=arm64 target=aarch64 ;;
        *) platform=${arch//[!A-Za-z0-9_]/_} target=${platform} ;;
    esac
    case ${RUNNER_OS:-Linux} in
        Linux) target+=-unknown-linux-musl ;;
        macOS) target+=-apple-darwin ;;
        Windows) target+=-pc-windows-msvc program=mgmt.exe ;;
        *) target+=-unknown ;;
    esac
}

# is_ours FILE: whether it starts and is this version.
is_ours() {
    local said
    said=$("$1" --version 2>/dev/null) || return 1
    [[ "${said%$'\r'}" == "mgmt ${version}" ]]
}

# find_hasher: HASHER is the program that makes SHA-256 sums here.
find_hasher() {
    if command -v sha256sum >/dev/null; then
        HASHER=(sha256sum)
    elif command -v shasum >/dev/null; then
        HASHER=(shasum -a 256)
    else
        stop 2 "no SHA-256" "neither sha256sum nor shasum is installed, and nothing unverified is run"
    fi
}

# digest: REPLY is the SHA-256 of standard input.
digest() {
    find_hasher
    REPLY=$("${HASHER[@]}")
    REPLY=${REPLY:0:64}
}

# The hash of everything that the binary is built from.
source_hash() {
    local files
    if ! files=$(cd -- "${root}" && find Cargo.toml Cargo.lock src -type f | sort); then
        stop 2 "no source" "the action's own source is not whole; is it a full copy of its repository?"
    fi
    split "${files}"
    find_hasher
    files=$(cd -- "${root}" && "${HASHER[@]}" -- "${ITEMS[@]}")
    digest <<<"${files}"
}

# is_complete FOLDER: whether the binary there is whole, and from the release or the source that this action carries.
# An empty marker is from whoever prepared the machine.
is_complete() {
    local marker=''
    if [[ ! -f "$1/.complete" || ! -x "$1/${program}" ]]; then
        return 1
    fi
    IFS= read -r marker <"$1/.complete" || true
    case ${marker} in
        '') ;;
        "archive ${sum:-none}") ;;
        source\ *)
            source_hash
            if [[ "${marker}" != "source ${REPLY}" ]]; then
                return 1
            fi
            ;;
        *) return 1 ;;
    esac
    is_ours "$1/${program}"
}

# keep FILE FOLDER ORIGIN: puts the binary into the tool cache; the marker comes last.
keep() {
    mkdir -p -- "$2"
    rm -f -- "$2/.complete"
    mv -f -- "$1" "$2/${program}.new"
    chmod 755 "$2/${program}.new"
    mv -f -- "$2/${program}.new" "$2/${program}"
    printf '%s\n' "$3" >"$2/.complete"
}

# download FOLDER: the release archive, held against the committed sum. Fails if there is none to be had; a wrong one
# ends the step.
download() {
    local name=mgmt-${version}-${target} address
    address=https://github.com/org/mgmt-action/releases/download/v${version}/${name}.tar.gz
    if ! command -v curl >/dev/null; then
        tell warning "mgmt was not downloaded" "curl is not installed"
        return 1
    fi
    if ! curl --proto '=https' --tlsv1.2 --fail --silent --show-error --location --retry 4 --connect-timeout 20 \
        --max-time 300 --output "${scratch}/archive" --url "${address}"; then
        tell warning "mgmt was not downloaded" "${address} could not be fetched"
        return 1
    fi
    digest <"${scratch}/archive"
    if [[ "${REPLY}" != "${sum}" ]]; then
        stop 2 "mgmt is not what was released" "${address} has the SHA-256 ${REPLY}, and the action carries ${sum}; \
nothing of it was run"
    fi
    if ! (cd -- "${scratch}" && tar -xzf - "${name}/${program}" <archive); then
        tell warning "mgmt was not unpacked" "the release archive for ${target} could not be unpacked"
        return 1
    fi
    if ! is_ours "${scratch}/${name}/${program}"; then
        tell warning "mgmt does not start" "the released binary for ${target} does not start on this machine"
        return 1
    fi
    keep "${scratch}/${name}/${program}" "$1" "archive ${sum}"
}

# Finds the binary, or says by an output that it has to be built.
find_binary() {
    local found cache key libc=gnu musl
    found=$(type -P -- "${program}" || true)
    # A relative entry of PATH would mean the checkout.
    if [[ "${found}" == /* ]] && is_ours "${found}"; then
        output binary "${found}"
        return 0
    fi
    cache=${RUNNER_TOOL_CACHE:-${RUNNER_TEMP:?}}/mgmt-action/${version}/${platform}
    output binary "${cache}/${program}"
    native "${cache}"
    printf '%s\n' "${REPLY}" >>"${GITHUB_PATH:?}"
    if is_complete "${cache}"; then
        return 0
    fi
    if [[ -n "${sum}" ]] && download "${cache}"; then
        return 0
    fi
    if [[ "${MGMT_INPUT_FALLBACK}" == none ]]; then
        stop 2 "no binary" "no released binary for ${target} could be used, and \`fallback: none\` forbids to build \
one; put mgmt ${version} on PATH or set \`fallback: cargo\`"
    fi
    musl=(/lib/ld-musl-*)
    if [[ -e "${musl[0]}" ]]; then
        libc=musl
    fi
    source_hash
    key=mgmt-action-${version}-${RUNNER_OS:-Linux}-${ImageOS:-}-${libc}-${platform}-${REPLY}
    output build-key "${key}"
    output build-folder "${cache}"
    output build-source "${REPLY}"
}

# native FOLDER: REPLY is the folder as the runner writes it.
native() {
    REPLY=$1
    if [[ "${RUNNER_OS:-}" == Windows ]]; then
        if [[ "${REPLY}" =~ ^/([A-Za-z])/(.*)$ ]]; then
            REPLY=${BASH_REMATCH[1]}:/${BASH_REMATCH[2]}
        fi
        REPLY=${REPLY//\//\\}
    fi
}

# make_scratch: an empty folder of this step's own.
make_scratch() {
    local number=1
    until mkdir -- "${RUNNER_TEMP:?}/mgmt-action-${number}" 2>/dev/null; do
        number=$((number + 1))
        if ((number > 1000)); then
            stop 2 "no room" "no folder could be made in ${RUNNER_TEMP}"
        fi
    done
    scratch=${RUNNER_TEMP}/mgmt-action-${number}
}

# --- The steps --------------------------------------------------------------------------------------------------------

# Checks the inputs, says what the later steps do, and finds the binary.
prepare() {
    export LC_ALL=C
    starts=false command='' stage='' folder='' ITEMS=() OPTIONS=()
    check_inputs
    read_platform
    read_manifest
    if [[ -n "${MGMT_INPUT_VERSION?}" && "${MGMT_INPUT_VERSION}" != "${version}" ]]; then
        refuse version "\`${MGMT_INPUT_VERSION}\` was asked for, and this is the action of ${version}; pin the action"
    fi
    make_scratch
    bundle=${scratch}/bundle
    pass_on
    find_binary
}

# Builds the binary from the action's own source, unless the cache had it.
build() {
    local folder=${MGMT_BUILD_FOLDER:?} origin="source ${MGMT_BUILD_SOURCE:?}" started=${SECONDS}
    read_platform
    read_manifest
    if is_complete "${folder}"; then
        printf 'mgmt %s was built by an earlier run and is in the cache\n' "${version}"
        return 0
    fi
    tell notice "mgmt is built from source" "no released binary of mgmt ${version} fits this runner, so it is built \
from the action's own source. This takes some minutes once; later runs find it in the cache."
    if ! command -v cargo >/dev/null; then
        stop 2 "no cargo" "mgmt ${version} has to be built, and cargo is not installed; install Rust 1.88 or newer in \
a step before this one, or put mgmt on PATH"
    fi
    make_scratch
    # The checkout's toolchain file, cargo settings and flags are about another project.
    unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS RUSTUP_TOOLCHAIN
    cd -- "${root}"
    if ! CARGO_TARGET_DIR=${scratch}/target cargo install --locked --path "${root}" --bin mgmt --root "${scratch}/out" \
        --no-track; then
        stop 2 "mgmt was not built" "cargo install failed; its own words are above. Rust 1.88 or newer is needed"
    fi
    keep "${scratch}/out/bin/${program}" "${folder}" "${origin}"
    rm -rf -- "${scratch}"
    if ! is_ours "${folder}/${program}"; then
        stop 2 "mgmt was not built" "what cargo built is not mgmt ${version}"
    fi
    output built true
    printf 'mgmt %s was built in %s s\n' "${version}" "$((SECONDS - started))"
}

# become_mgmt: this process goes on as the binary. Its arguments are the lines of MGMT_ARGUMENTS.
become_mgmt() {
    local binary=${MGMT_BINARY:?} variable declared clean=()
    split "${MGMT_ARGUMENTS:?}"
    cd -- "${MGMT_FOLDER:?}" || exit 2
    # Where these came from the environment they are exported, and hold this script's own options by now.
    for variable in SHELLOPTS BASHOPTS; do
        declared=$(declare -p "${variable}" 2>/dev/null) || declared=''
        if [[ "${declared}" =~ ^declare\ -[a-zA-Z]*x ]]; then
            clean=(env -u SHELLOPTS -u BASHOPTS)
        fi
    done
    unset MGMT_BINARY MGMT_FOLDER MGMT_ARGUMENTS MGMT_BUNDLE MGMT_EXIT_CODE MGMT_ASKS_GITHUB
    exec ${clean[@]+"${clean[@]}"} "${binary}" "${ITEMS[@]}"
}

# A pull request is judged by the base branch's policy and compared with what that branch measured last.
baseline() {
    if (become_mgmt); then
        return 0
    fi
    tell warning "no baseline" "what has to be known of the base branch could not be fetched; rules that need an \
earlier record cannot hold, and where git does not have the base branch's policy, nothing is decided"
}

# The command itself. Its exit code becomes an output, so that the steps after it are run whatever it is.
run() {
    local code=0 ended=''
    (
        if [[ "${MGMT_ASKS_GITHUB?}" != true ]]; then
            # What a check starts sees no token, and has no way to change the environment of later steps. INPUT_TOKEN is
            # set by other runners than GitHub's.
            unset GITHUB_TOKEN GH_TOKEN INPUT_TOKEN
            unset ACTIONS_RUNTIME_TOKEN ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL
            unset GITHUB_ENV GITHUB_PATH GITHUB_OUTPUT GITHUB_STATE
        fi
        become_mgmt
    ) || code=$?
    case ${code} in
        0) ended=pass ;;
        1) ended=fail ;;
        4) ended=inconclusive ;;
        *) ;;
    esac
    output exit-code "${code}"
    output ended "${ended}"
    if [[ "${MGMT_ARGUMENTS%%$'\n'*}" == collect && "${code}" -eq 0 ]]; then
        output collected true
    fi
}

# Puts the evidence and the record into a folder that is uploaded.
collect() {
    if ! (become_mgmt); then
        tell warning "no evidence was collected" "mgmt collect failed; nothing is uploaded and nothing is published"
        return 0
    fi
    output collected true
    if [[ -f "${MGMT_BUNDLE:?}/record.json" ]]; then
        output record "${MGMT_BUNDLE}/record.json"
    fi
}

# Tells GitHub. What cannot be told is said, and changes nothing.
publish() {
    local code=0 judged=false line
    (become_mgmt) || code=$?
    while IFS= read -r line || [[ -n "${line}" ]]; do
        if [[ "${line}" =~ ^verdict(=|\<\<) ]]; then
            judged=true
        fi
    done <"${GITHUB_OUTPUT:?}"
    output code "${code}"
    # Without a verdict among its outputs only a fail is sure to be one: the other codes are those of troubles, too.
    case "${judged} ${code}" in
        "true 0" | "true 4" | *" 1")
            if [[ "${code}" -ne "${MGMT_EXIT_CODE:?}" ]]; then
                tell warning "the report says otherwise" "the command ended with ${MGMT_EXIT_CODE}, and what was \
published with ${code}; the worse one counts"
            fi
            ;;
        *) tell warning "not published" "mgmt publish ended with ${code}; the verdict stands as it is" ;;
    esac
}

# Ends with the command's exit code, or with what was published where that is worse: it was judged anew, outside of
# the reach of the checks' own policy. Without a code nothing was decided, and that is no pass.
finish() {
    local code=${MGMT_EXIT_CODE?}
    case "${MGMT_PUBLISHED?} ${MGMT_PUBLISH_CODE?} ${code}" in
        "fail "*" 0" | "fail "*" 4" | *" 1 0" | *" 1 4") code=1 ;;
        "inconclusive "*" 0" | "interrupted "*" 0") code=4 ;;
        *) ;;
    esac
    if [[ "${MGMT_UPLOADED?}" == failure || "${MGMT_RECORDED?}" == failure ]]; then
        tell warning "not uploaded" "the evidence is no artifact of this run: a later gate will miss it. Two jobs of \
one workflow need different \`shard\` names"
    fi
    if [[ ! "${code}" =~ ^[0-9]+$ ]]; then
        stop 4 "nothing was decided" "the command did not end; the steps above say why"
    fi
    exit "${code}"
}

main() {
    here=${BASH_SOURCE[0]%/*}
    root=${here}/../..
    case ${1:-} in
        prepare) prepare ;;
        build) build ;;
        baseline) baseline ;;
        run) run ;;
        collect) collect ;;
        publish) publish ;;
        finish) finish ;;
        *) stop 2 "main.sh" "there is no step \`${1:-}\`" ;;
    esac
}

# On one line: a shell reads its script as it goes, and what a check does to this file must not be read.
main "$@"; exit
