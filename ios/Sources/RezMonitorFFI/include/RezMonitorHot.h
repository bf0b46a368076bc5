// The call that takes a hot record (bindings/uniffi/src/hot.rs). Written by hand; the other header is generated.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Records the hot record of `length` bytes at `record`. `answer` has room for 64 bytes.
///
/// Returns the length of the id in `answer`; 0 if it has no id; minus the length of the reason in `answer` if it was refused;
/// INT32_MIN if it is not of the version of the library.
int32_t rez_monitor_submit(uint64_t handle, const uint8_t *_Nonnull record, size_t length, uint8_t *_Nonnull answer);
