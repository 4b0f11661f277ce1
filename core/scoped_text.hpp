// SPDX-License-Identifier: Apache-2.0
#pragma once

// A text within a scope (a key of a queue, a name of a sort, a request of a client) as the key of a hash table, which
// is searched without copying the text.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace daybook {

struct ScopedTextView {
  std::uint32_t scope = 0;
  std::string_view text;
};

struct ScopedText {
  std::uint32_t scope = 0;
  std::string text;

  ScopedText(std::uint32_t of, std::string_view what) : scope(of), text(what) {}
  operator ScopedTextView() const { return {scope, text}; }  // NOLINT(google-explicit-constructor): the same thing
};

struct ScopedTextHash {
  using is_transparent = void;
  std::size_t operator()(const ScopedTextView& key) const noexcept {
    return std::hash<std::string_view>{}(key.text) ^ (static_cast<std::size_t>(key.scope) * 0x9e3779b97f4a7c15U);
  }
};

struct ScopedTextEqual {
  using is_transparent = void;
  bool operator()(const ScopedTextView& a, const ScopedTextView& b) const noexcept {
    return a.scope == b.scope && a.text == b.text;
  }
};

template <class Value>
using ByScopedText = std::unordered_map<ScopedText, Value, ScopedTextHash, ScopedTextEqual>;

}  // namespace daybook
