module trustkern.tools/unzstd

go 1.26.6

require (
	github.com/klauspost/compress v1.18.7
	golang.org/x/sys v0.48.0
)
