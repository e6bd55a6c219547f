#!/bin/sh
# Makes edged/samples/*.wav: espeak-ng's speech, resampled to 16 kHz mono 16-bit by miniaudio, with silence around it.
# The Korean voices and speeds are those at which the Korean Vosk model hears the sentence exactly.
# Usage: PYTHON=.venv/bin/python tests/golden/make_recordings.sh
set -eu
cd "$(dirname "$0")/../.."
PYTHON="${PYTHON:-python3}"

record() { # file name, voice, words a minute, sentence
    espeak-ng -v "$2" -s "$3" --stdout "$4" | "$PYTHON" -c '
import sys, wave, miniaudio
speech = miniaudio.decode(sys.stdin.buffer.read(), miniaudio.SampleFormat.SIGNED16, 1, 16000).samples.tobytes()
with wave.open(sys.argv[1], "wb") as out:
    out.setparams((1, 2, 16000, 0, "NONE", ""))
    out.writeframes(bytes(6400) + speech + bytes(12800))
' "edged/samples/$1"
}

record ko_all_lights_off.wav ko+steph 170 "모든 불을 꺼 줘"
record ko_ceiling_lamp_off.wav ko+f4 170 "천장등 꺼 줘"
record ko_temperature_22.wav ko+m3 170 "온도를 이십이 도로 맞춰 줘"
record ko_kitchen_temperature_22.wav ko+David 170 "부엌 온도를 이십이 도로 해 줘"
record en_kitchen_light_on.wav en-us 150 "turn on the kitchen light"
