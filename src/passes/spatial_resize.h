// SPDX-License-Identifier: Apache-2.0
// A Resize that averages pixels: along spatial axes only, each output pixel a sum of input pixels whose weights sum
// to 1. It commutes with whatever does the same to every pixel, constants added included.
//
// The weights sum to 1 in every mode (nearest has one tap; linear and cubic filters do for any coordinate, on borders
// that repeat; antialias and exclude_outside divide by the sum) and for every coordinate transformation but
// tf_crop_and_resize, which puts a constant where it leaves the picture. A keep_aspect_ratio_policy can move
// coordinates out of the picture so far that exclude_outside has nothing left to divide.
#pragma once

#include "passes/match.h"

namespace fovea::passes {

/// Axes 0 and 1 keep their extents and elements, as far as shapes and constants tell.
bool is_spatial_average(const Graph& graph, NodeId node);
/// The same Resize, saying nothing about axes 0 and 1: for an input with another number of channels.
Node without_channel_axes(Graph& graph, NodeId resize);

}  // namespace fovea::passes
