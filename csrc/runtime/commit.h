//===- commit.h - From the journal to the Python heap ---------------------===//

#ifndef JANUS_RUNTIME_COMMIT_H
#define JANUS_RUNTIME_COMMIT_H

#include "call_context.h"
#include "python_api.h"
#include "version.h"

namespace janus {

/// Commit the records of a call that ended with `status`, and make its result.
/// The context is released before the last callable runs, so that what follows
/// an exit holds on to nothing of the call.
PyObject *commit(Version &version, ContextScope &context, int32_t status);

} // namespace janus

#endif // JANUS_RUNTIME_COMMIT_H
