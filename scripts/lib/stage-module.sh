#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# stage-module.sh RELEASE MODULES MODULE STAGE: puts MODULE and those beside it, and an index of the
# kernel's own modules in the directory MODULES with them added, into STAGE/lib/modules/RELEASE. Runs
# inside the toolchain tree.

set -euo pipefail

release=$1 theirs=$2 module=$3 stage=$4
ours=$stage/lib/modules/$release

rm -rf "$ours"
mkdir -p "$ours/updates"
ln -s "$theirs/kernel" "$ours/kernel"
cp "$theirs"/modules.{order,builtin,builtin.modinfo} "$ours/"
cp "${module%/*}"/*.ko "$ours/updates/"
depmod -b "$stage" "$release"
rm "$ours/kernel"
mkdir "$ours/kernel"
touch "$stage/modules.dep"
