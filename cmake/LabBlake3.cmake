# BLAKE3 (lab::blake3) from its C sources, which Debian has in the package of its Rust crate only. Which kernel
# runs is decided by the processor at run time.

file(GLOB folders LIST_DIRECTORIES true /usr/share/cargo/registry/blake3-*/c)
if(NOT EXISTS "${LAB_BLAKE3_SOURCES}/blake3_dispatch.c")
  unset(LAB_BLAKE3_SOURCES CACHE)  # Of a version that was replaced by another one.
endif()
find_path(LAB_BLAKE3_SOURCES blake3_dispatch.c PATHS ${folders} NO_DEFAULT_PATH DOC "C sources of BLAKE3")
if(NOT LAB_BLAKE3_SOURCES)
  message(FATAL_ERROR
    "The C sources of BLAKE3 are missing. `scripts/setup build` installs them, with Debian's package "
    "librust-blake3-dev; elsewhere they are the folder c/ of BLAKE3's repository, and "
    "-DLAB_BLAKE3_SOURCES=FOLDER says where it is.")
endif()

set(sources blake3.c blake3_dispatch.c blake3_portable.c)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  enable_language(ASM)
  foreach(kernel IN ITEMS sse2 sse41 avx2 avx512)
    list(APPEND sources blake3_${kernel}_x86-64_unix.S)
  endforeach()
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  list(APPEND sources blake3_neon.c)
endif()
list(TRANSFORM sources PREPEND "${LAB_BLAKE3_SOURCES}/")

add_library(lab_blake3 STATIC ${sources})
add_library(lab::blake3 ALIAS lab_blake3)
target_include_directories(lab_blake3 SYSTEM PUBLIC "${LAB_BLAKE3_SOURCES}")
target_compile_options(lab_blake3 PRIVATE -w)
