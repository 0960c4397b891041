/* Stands in for x265 (GPL-2), which pillow-heif's wheel bundles to write HEIC. The image only reads it: libheif calls
   these two when it writes, and gets no encoder. The number is X265_BUILD of the x265 that libheif was built with. */
const void *x265_api_get_217(int depth) { (void)depth; return 0; }
void x265_cleanup(void) {}
