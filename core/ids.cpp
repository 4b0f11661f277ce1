// SPDX-License-Identifier: Apache-2.0
// The written forms of ids, tokens and uuids, and their strict reading: what is typed or pasted wrongly is
// refused rather than taken for another job.
#include "daybook/core/ids.hpp"

#include <charconv>
#include <optional>

#include "daybook/core/escape.hpp"

namespace daybook {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t tag_digits = 8;

std::optional<std::uint8_t> hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return static_cast<std::uint8_t>(c - '0');
  }
  if (c >= 'a' && c <= 'f') {
    return static_cast<std::uint8_t>(c - 'a' + 10);
  }
  if (c >= 'A' && c <= 'F') {
    return static_cast<std::uint8_t>(c - 'A' + 10);
  }
  return std::nullopt;
}

std::string with_tag(Sequence sequence, GenerationTag tag) {
  std::string text = std::to_string(sequence.value()) + "-";
  for (int shift = 28; shift >= 0; shift -= 4) {
    text += hex_digits[(tag.value() >> static_cast<unsigned>(shift)) & 0xfU];
  }
  return text;
}

/// From 1, in decimal, without a leading zero: each number has one written form.
std::optional<Sequence> read_sequence(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0 || text.front() == '0') {
    return std::nullopt;
  }
  return Sequence(value);
}

/// Eight digits, not all zero: no history has the tag 0.
std::optional<GenerationTag> read_tag(std::string_view text) {
  if (text.size() != tag_digits) {
    return std::nullopt;
  }
  std::uint32_t value = 0;
  for (const char c : text) {
    const auto digit = hex_value(c);
    if (!digit) {
      return std::nullopt;
    }
    value = (value << 4U) | *digit;
  }
  if (value == 0) {
    return std::nullopt;
  }
  return GenerationTag(value);
}

struct Tagged {
  Sequence sequence;
  GenerationTag tag;  // 0: there was none
};

std::optional<Tagged> read_tagged(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto sequence = read_sequence(text.substr(0, dash));
  if (!sequence) {
    return std::nullopt;
  }
  if (dash == std::string_view::npos) {
    return Tagged{*sequence, GenerationTag()};
  }
  const auto tag = read_tag(text.substr(dash + 1));
  if (!tag) {
    return std::nullopt;
  }
  return Tagged{*sequence, *tag};
}

}  // namespace

std::string to_string(const JobId& id) {
  if (id.generation == GenerationTag()) {
    return std::to_string(id.sequence.value());
  }
  return with_tag(id.sequence, id.generation);
}

std::string to_string(const Token& token) {
  return with_tag(token.claim, token.generation);
}

std::string to_string(const Uuid& uuid) {
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      text += '-';
    }
    text += hex_digits[uuid.bytes[i] >> 4U];
    text += hex_digits[uuid.bytes[i] & 0xfU];
  }
  return text;
}

Result<JobId> parse_job_id(std::string_view text) {
  const auto tagged = read_tagged(text);
  if (!tagged) {
    return refuse(RefusalCode::invalid_argument,
                  quoted(text) + " is not a job id; one looks like 17-9f3ac1d2, or 17 for short");
  }
  return JobId{tagged->sequence, tagged->tag};
}

Result<Token> parse_token(std::string_view text) {
  const auto tagged = read_tagged(text);
  if (!tagged || tagged->tag == GenerationTag()) {
    return refuse(RefusalCode::invalid_argument,
                  quoted(text) + " is not a token; one looks like 31-9f3ac1d2, as the claim returned it");
  }
  return Token{tagged->sequence, tagged->tag};
}

Result<Uuid> parse_uuid(std::string_view text) {
  const auto refusal = [&] {
    return refuse(RefusalCode::invalid_argument,
                  quoted(text) + " is not a uuid; one looks like 1b4e28ba-2fa1-41d2-883f-0016d3cca427");
  };
  if (text.size() != 36) {
    return refusal();
  }
  Uuid uuid;
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') {
        return refusal();
      }
      continue;
    }
    const auto digit = hex_value(text[i]);
    if (!digit) {
      return refusal();
    }
    auto& byte = uuid.bytes[digits / 2];
    byte = static_cast<std::uint8_t>(byte << 4U | *digit);
    ++digits;
  }
  return uuid;
}

}  // namespace daybook
