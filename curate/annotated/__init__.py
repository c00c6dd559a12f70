"""What people said of documents, as arrays: truth, its variance, and what each document stands for.

`answers` are the labels of a question, `truth` is what they are taken to say, read together with a
head. `quality` is a function of answers, `qualities` what people's answers make of it. `documents`
puts them beside predictions out of fold and design weights. Stages and estimates stand on it.
"""
