module trustkern.tests/goverify

go 1.26
