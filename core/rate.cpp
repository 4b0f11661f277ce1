// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/rate.hpp"

#include <algorithm>

namespace daybook {
namespace {

// Any numbers may stand in a log, and the product of a time and a rate needs more than 64 bits.
__extension__ using Wide = __int128;

std::int64_t brim(const Rate& rate) {
  return std::int64_t{rate.burst} * bucket_unit;
}

std::int64_t per_of(const Rate& rate) {
  return std::max<std::int64_t>(rate.per.count(), 1);
}

}  // namespace

std::string to_string(const Rate& rate) {
  if (!rate.limited()) return "none";
  const std::string text = std::to_string(rate.starts) + "/" + to_string(rate.per);
  return rate.burst == rate.starts ? text : text + " burst " + std::to_string(rate.burst);
}

Bucket refilled(const std::optional<Bucket>& bucket, const Rate& rate, BookTime now) {
  if (!bucket) return {brim(rate), now};
  const Wide passed = std::max<Wide>(Wide{now.time_since_epoch().count()} - bucket->at.time_since_epoch().count(), 0);
  const Wide level = bucket->level + passed * rate.starts * bucket_unit / per_of(rate);
  return {static_cast<std::int64_t>(std::min<Wide>(level, brim(rate))), now};
}

bool is_full(const Bucket& bucket, const Rate& rate) {
  return bucket.level >= brim(rate);
}

BookTime next_start(const Bucket& bucket, const Rate& rate) {
  if (bucket.level >= bucket_unit || !rate.limited()) return bucket.at;
  const Wide missing = Wide{bucket_unit} - bucket.level;
  const Wide speed = Wide{rate.starts} * bucket_unit;  // in every `per`
  const Wide wait = (missing * per_of(rate) + speed - 1) / speed;
  const Wide at = bucket.at.time_since_epoch().count() + wait;
  return BookTime(Duration(static_cast<std::int64_t>(std::min<Wide>(at, BookTime::max().time_since_epoch().count()))));
}

}  // namespace daybook
