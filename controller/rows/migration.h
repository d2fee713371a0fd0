#ifndef DAVIT_CONTROLLER_ROWS_MIGRATION_H_
#define DAVIT_CONTROLLER_ROWS_MIGRATION_H_

#include "controller/rows/record.h"

namespace davit::controller::rows {

// StoredMeta.format of what this version writes.
inline constexpr int kFormat = 2;

// The format of a store's rows; kFormat if there are none. DataLoss: the row "meta" is damaged.
absl::StatusOr<int> FormatOf(const Rows& rows);

// Rows of an older format as rows of this one, with the same keys; those of this format unchanged.
// FailedPrecondition: a newer version wrote them. DataLoss: a row is not what its key says.
absl::StatusOr<Rows> Migrate(const Rows& rows);

}  // namespace davit::controller::rows

#endif  // DAVIT_CONTROLLER_ROWS_MIGRATION_H_
