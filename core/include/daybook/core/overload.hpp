// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace daybook {

/// Several lambdas as one visitor of a variant.
template <class... Parts>
struct Overload : Parts... {
  using Parts::operator()...;
};
template <class... Parts>
Overload(Parts...) -> Overload<Parts...>;

}  // namespace daybook
