#include "edged_core.h"

const char *edc_status_text(int status) {
    switch (status) {
    case EDC_OK:
        return "done";
    case EDC_BAD_ARGUMENT:
        return "a null pointer or an impossible size was handed in";
    case EDC_NO_MEMORY:
        return "out of memory";
    case EDC_TOO_LARGE:
        return "the input is larger than the core takes";
    case EDC_BAD_OFFSETS:
        return "the token offsets go backwards";
    case EDC_TRUNCATED_CODE:
        return "the expression code ends inside an operation";
    case EDC_BAD_CODE:
        return "the expression code is malformed";
    case EDC_TOO_DEEP:
        return "the expression keeps too many operands waiting";
    case EDC_TOO_MANY_STATES:
        return "the expression needs too many states";
    case EDC_ILLEGAL_TOKEN:
        return "the token is not legal here";
    case EDC_ILLEGAL_BYTE:
        return "the bytes are not legal here";
    case EDC_NO_LEGAL_TOKEN:
        return "no token is legal here";
    case EDC_BAD_LOGITS:
        return "the logits are not one number for each token";
    case EDC_BAD_IMAGE:
        return "the vocabulary image is damaged, or of another version";
    case EDC_BAD_TEMPERATURE:
        return "the temperature is not a finite number of at least 0";
    default:
        return "an unknown status";
    }
}
