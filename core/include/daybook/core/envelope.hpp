// SPDX-License-Identifier: Apache-2.0
#pragma once

// Envelope: bytes that belong to the user (payload, result, error, progress), with what is needed to seal and erase
// them later. Immutable and shared: copying one copies a pointer. Safe to read from any thread.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace daybook {

class Envelope {
 public:
  struct Contents {
    std::uint16_t codec = 0;   // 0: the bytes are plain. Others are reserved for sealed contents.
    std::string subject;       // whom the contents are about, for erasure; empty: nobody
    std::uint32_t key_id = 0;  // the sealing key; 0: none
    std::string nonce;
    std::string bytes;
    friend bool operator==(const Contents&, const Contents&) = default;
  };

  Envelope() = default;  // empty: no bytes, no subject; costs no allocation
  Envelope(std::string bytes);                                // NOLINT(google-explicit-constructor): a payload is text
  Envelope(std::string_view bytes) : Envelope(std::string(bytes)) {}  // NOLINT(google-explicit-constructor)
  Envelope(const char* bytes) : Envelope(std::string(bytes)) {}       // NOLINT(google-explicit-constructor)
  explicit Envelope(Contents contents);

  [[nodiscard]] std::string_view bytes() const { return contents_ ? std::string_view(contents_->bytes) : std::string_view(); }
  [[nodiscard]] const Contents& contents() const;
  [[nodiscard]] bool empty() const { return contents_ == nullptr; }

  friend bool operator==(const Envelope& a, const Envelope& b) {
    return a.contents_ == b.contents_ || a.contents() == b.contents();
  }

 private:
  std::shared_ptr<const Contents> contents_;  // null when everything is empty
};

}  // namespace daybook
