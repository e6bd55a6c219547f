# Included by llama-cpp-python's CMakeLists.txt right after its project(): leaves out llama.cpp's "common" library and its
# HTTP client, which only llama.cpp's own programs use and which take more than half of the build.
set(LLAMA_BUILD_COMMON OFF)
