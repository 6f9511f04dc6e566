// SPDX-License-Identifier: Apache-2.0
// Everything of the C++ API.
#pragma once

#include "fovea/build.h"
#include "fovea/engine.h"
#include "fovea/load_plugin.h"
#include "fovea/model.h"
#include "fovea/session.h"
#include "fovea/status.h"
#include "fovea/surgery.h"
#include "fovea/tensor.h"
