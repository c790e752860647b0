"""From photos to protected photos, and the question whether two photos still match.

inputs, outputs, manifest     what goes in, where it comes out, what is done already
faces, batching, compose      one photo: find its faces, protect them, put the result together
protector, verify             the public facade
making                        from the bytes of photos to the bytes of their outputs
books, run                    many photos with everything that can go wrong
"""
